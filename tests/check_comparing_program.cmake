# Fails when a program that only compares fingerprints is linked with what reads models: curl, or the
# code of networks and places.
# Run as: cmake -D PROGRAM=... -D READELF=... -D NM=... -P check_comparing_program.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${READELF} --dynamic ${PROGRAM} OUTPUT_VARIABLE dynamic RESULT_VARIABLE status)
if(status)
  message(FATAL_ERROR "${READELF} cannot read ${PROGRAM}")
endif()
if(NOT dynamic MATCHES "NEEDED.*libfmt")
  message(FATAL_ERROR "no libraries found: the check is broken")
endif()
if(dynamic MATCHES "libcurl|libre2")
  message(SEND_ERROR "${PROGRAM} is linked with ${CMAKE_MATCH_0}")
endif()

execute_process(COMMAND ${NM} --demangle ${PROGRAM} OUTPUT_VARIABLE symbols RESULT_VARIABLE status)
if(status OR NOT symbols MATCHES "internal::CompareFingerprints")
  message(FATAL_ERROR "${PROGRAM} does not compare fingerprints: the check is broken")
endif()
foreach(name IN ITEMS internal::Network:: internal::Places:: internal::OpenFoundModel)
  if(symbols MATCHES ${name})
    message(SEND_ERROR "${PROGRAM} holds code of ${name}")
  endif()
endforeach()
