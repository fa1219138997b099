# Installs the project into an empty folder, configures, builds and runs a program against what lies
# there, by CMake and by pkg-config, and looks at what the shared library shows.
# Run as: cmake -D BUILD_DIR=... -D SOURCE_DIR=... -D WORK_DIR=... -D COMPILER=... -D FLAGS=... -D NM=... -P check_consumer.cmake
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(status)
    message(FATAL_ERROR "${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(prefix ${WORK_DIR}/prefix)
file(REMOVE_RECURSE ${WORK_DIR})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix})
run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/consumer -B ${WORK_DIR}/build -D CMAKE_PREFIX_PATH=${prefix}
    -D CMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
set(models ${SOURCE_DIR}/examples/models/alder ${SOURCE_DIR}/examples/models/alder--lora)
run(${WORK_DIR}/build/consumer ${models})
if(NOT output MATCHES "alder and alder--lora are derived")
  message(FATAL_ERROR "unexpected answer: ${output}")
endif()
# A model that is not there is an error of the consumer's, with its place.
execute_process(COMMAND ${WORK_DIR}/build/consumer ${SOURCE_DIR}/no-such-model ${models}
                RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
if(NOT status EQUAL 2)
  message(FATAL_ERROR "three arguments gave status ${status}, not 2")
endif()

# The examples of the documentation.
run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/examples/library -B ${WORK_DIR}/examples -D CMAKE_PREFIX_PATH=${prefix}
    -D CMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${WORK_DIR}/examples)
run(${WORK_DIR}/examples/compare_two ${models})
if(NOT output MATCHES "alder and alder--lora: derived")
  message(FATAL_ERROR "unexpected answer: ${output}")
endif()
set(print ${WORK_DIR}/alder.fingerprint.safetensors)
run(${WORK_DIR}/examples/fingerprint_with_progress ${SOURCE_DIR}/examples/models/alder ${print})
if(NOT output MATCHES "100%.*alder: llama, [0-9]+ layers" OR NOT EXISTS ${print})
  message(FATAL_ERROR "unexpected answer: ${output}")
endif()
run(${WORK_DIR}/examples/find_in_family ${SOURCE_DIR}/examples/models/alder--lora ${print}
    ${SOURCE_DIR}/examples/models/birch)
if(NOT output MATCHES "alder--lora: derived with alder")
  message(FATAL_ERROR "unexpected answer: ${output}")
endif()
set(registry ${WORK_DIR}/known.tgr)
run(${WORK_DIR}/examples/search_registry ${registry} ${print})
if(NOT output MATCHES "searched 0 fingerprints\nadded as #1")
  message(FATAL_ERROR "unexpected answer: ${output}")
endif()
run(${WORK_DIR}/examples/search_registry ${registry} ${SOURCE_DIR}/examples/models/alder--lora)
if(NOT output MATCHES "searched 1 fingerprints\n  alder  about 0.*alder--lora: derived, nearest alder\nadded as #2")
  message(FATAL_ERROR "unexpected answer: ${output}")
endif()
# No second is left: the work is cancelled, and nothing is written.
execute_process(COMMAND ${WORK_DIR}/examples/fingerprint_with_progress ${SOURCE_DIR}/examples/models/birch
                        ${WORK_DIR}/none.fingerprint.safetensors 0
                RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
if(NOT status EQUAL 130 OR EXISTS ${WORK_DIR}/none.fingerprint.safetensors)
  message(FATAL_ERROR "a cancelled fingerprint gave status ${status}, not 130")
endif()

find_program(pkg_config pkg-config REQUIRED)
file(GLOB_RECURSE description ${prefix}/*/tensorguard.pc)
get_filename_component(folder ${description} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${folder})
run(${pkg_config} --define-variable=prefix=${prefix} --modversion tensorguard)

# Every symbol that it shows is public: in the namespace tensorguard, and not in tensorguard::internal.
file(GLOB_RECURSE library ${prefix}/*/libtensorguard.so)
run(${NM} --dynamic --defined-only --demangle ${library})
string(REGEX MATCHALL "[^\n]+" symbols "${output}")
set(public 0)
foreach(symbol IN LISTS symbols)
  if(symbol MATCHES " [VWu] " OR NOT symbol MATCHES "tensorguard")
    continue()  # of templates of the standard library
  endif()
  if(symbol MATCHES "^[0-9a-f]+ . tensorguard::internal")
    message(SEND_ERROR "shown, but not public: ${symbol}")
  endif()
  math(EXPR public "${public} + 1")
endforeach()
if(public LESS 10)
  message(FATAL_ERROR "only ${public} public symbols found: the check is broken")
endif()
