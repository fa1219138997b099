# add_stage(NAME [LIBRARY...]): the library tensorguard_NAME from src/NAME/*.cc, linked with the
# stages before it, and the test program NAME_test from src/NAME/*_test.cc.
include(GoogleTest)
set(TENSORGUARD_STAGES "")
# fontconfig keeps caches until the process ends, which the leak checker takes for leaks.
set(TENSORGUARD_TEST_ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/leaks.supp:print_suppressions=0")

function(add_stage name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*_test.cc)
  list(REMOVE_ITEM sources "" ${tests})
  if(NOT sources)
    return()
  endif()

  add_library(tensorguard_${name} STATIC ${sources})
  target_include_directories(tensorguard_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(tensorguard_${name} PUBLIC ${TENSORGUARD_STAGES} ${ARGN})
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
endfunction()
