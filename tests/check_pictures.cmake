# The pictures of the README are what the program draws. How sure it is of a step may differ in the last digit
# from machine to machine, so dashes are not compared.
#   cmake -D SOURCE_DIR=... -D PROGRAM=... -D WORK_DIR=... -P check_pictures.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${SOURCE_DIR}/scripts/draw_pictures.sh ${PROGRAM} ${WORK_DIR} RESULT_VARIABLE status)
if(status)
  message(FATAL_ERROR "draw_pictures.sh ended with ${status}")
endif()
foreach(name IN ITEMS families-light.svg families-dark.svg)
  file(READ ${SOURCE_DIR}/docs/pictures/${name} shown)
  file(READ ${WORK_DIR}/${name} drawn)
  foreach(text IN ITEMS shown drawn)
    string(REPLACE "descent doubt" "descent" ${text} "${${text}}")
    string(REGEX REPLACE "<title>[^<]*</title>" "" ${text} "${${text}}")
  endforeach()
  if(NOT shown STREQUAL drawn)
    message(SEND_ERROR "docs/pictures/${name} is not what the program draws: run scripts/draw_pictures.sh")
  endif()
endforeach()
