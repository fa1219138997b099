# The annotations hold, by mypy, and the stub of the extension says what the extension has, by stubtest.
#   cmake -D PYTHON=... -D PACKAGE=... -D SOURCE_DIR=... -P check_stubs.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${PYTHON} -c "import mypy.stubtest" RESULT_VARIABLE status ERROR_QUIET)
if(status)
  message("skipped: python3-mypy is not installed")
  return()
endif()
execute_process(COMMAND ${PYTHON} -m mypy --strict --no-incremental --cache-dir=/dev/null ${PACKAGE}/tensorguard
                WORKING_DIRECTORY ${SOURCE_DIR}/tests RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status)
  message(FATAL_ERROR "mypy: ${output}")
endif()
execute_process(COMMAND ${PYTHON} -m mypy.stubtest tensorguard._core
                        --allowlist ${SOURCE_DIR}/tests/stubtest_allowed.txt
                WORKING_DIRECTORY ${SOURCE_DIR}/tests RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status)
  message(FATAL_ERROR "stubtest: ${output}")
endif()
