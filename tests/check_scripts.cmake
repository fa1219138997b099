# Every shell script of the project parses, by the shell that its first line names. Benchmarks are run by hand
# and seldom: without this a broken one is found when its figures are needed.
#   cmake -D SOURCE_DIR=... -P tests/check_scripts.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB scripts "${SOURCE_DIR}/*.sh" "${SOURCE_DIR}/bench/*.sh" "${SOURCE_DIR}/scripts/*.sh"
     "${SOURCE_DIR}/integrations/*.sh" "${SOURCE_DIR}/cmake/*.sh" "${SOURCE_DIR}/packaging/python/*" "${SOURCE_DIR}/.ci/run")
list(LENGTH scripts count)
if(count LESS 5)
  message(FATAL_ERROR "found ${count} shell scripts below ${SOURCE_DIR}: is this the project?")
endif()

set(broken "")
foreach(script IN LISTS scripts)
  file(STRINGS "${script}" first_line LIMIT_COUNT 1)
  if(first_line STREQUAL "#!/bin/sh")
    set(shell sh)
  elseif(first_line STREQUAL "#!/usr/bin/env bash")
    set(shell bash)
  else()
    list(APPEND broken "${script}: its first line is '${first_line}', not #!/bin/sh or #!/usr/bin/env bash")
    continue()
  endif()
  execute_process(COMMAND ${shell} -n "${script}" RESULT_VARIABLE status ERROR_VARIABLE problem)
  if(NOT status EQUAL 0)
    list(APPEND broken "${problem}")
  endif()
endforeach()
if(broken)
  list(JOIN broken "\n" text)
  message(FATAL_ERROR "${text}")
endif()
