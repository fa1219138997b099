# add_stage(NAME TOWER [LIBRARY...]): the library tensorguard_NAME from src/NAME/ and its wings, and the
# test program NAME_test from the files *_test.cc there. TOWER says which stages it is linked with, and
# so may include, of those before it:
#   SHARED     the shared ones
#   READING    the shared ones and those that read models
#   COMPARING  the shared ones and those that compare fingerprints
#   BOTH       all
include(GoogleTest)
set(TENSORGUARD_STAGES "")
set(TENSORGUARD_SHARED_STAGES "")
set(TENSORGUARD_READING_STAGES "")
set(TENSORGUARD_COMPARING_STAGES "")
# fontconfig keeps caches until the process ends, which the leak checker takes for leaks.
set(TENSORGUARD_TEST_ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/leaks.supp:print_suppressions=0")

function(add_stage name tower)
  if(tower STREQUAL SHARED)
    set(before ${TENSORGUARD_SHARED_STAGES})
  elseif(tower STREQUAL BOTH)
    set(before ${TENSORGUARD_STAGES})
  else()
    set(before ${TENSORGUARD_SHARED_STAGES} ${TENSORGUARD_${tower}_STAGES})
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*_test.cc)
  list(REMOVE_ITEM sources "" ${tests})
  # The public functions are the shared library's: cmake/install.cmake.
  list(FILTER sources EXCLUDE REGEX /src/api/library/)

  add_library(tensorguard_${name} STATIC ${sources})
  target_include_directories(tensorguard_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(tensorguard_${name} PUBLIC ${before} ${ARGN})
  set_target_properties(tensorguard_${name} PROPERTIES LINKER_LANGUAGE CXX)

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE tensorguard_${name} tensorguard_testing GTest::gmock
                                               GTest::gtest_main)
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60
                         WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                         PROPERTIES ENVIRONMENT "${TENSORGUARD_TEST_ENVIRONMENT}")
  endif()
  set(TENSORGUARD_STAGES ${TENSORGUARD_STAGES} tensorguard_${name} PARENT_SCOPE)
  if(NOT tower STREQUAL BOTH)
    set(TENSORGUARD_${tower}_STAGES ${TENSORGUARD_${tower}_STAGES} tensorguard_${name} PARENT_SCOPE)
  endif()
endfunction()
