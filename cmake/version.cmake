# tensorguard_commit: which commit is built, looked up with every build.
set(commit_file ${PROJECT_BINARY_DIR}/generated/build_commit.cc)
add_custom_target(find_commit BYPRODUCTS ${commit_file}
                  COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${PROJECT_SOURCE_DIR} -D FILE=${commit_file} -P
                          ${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake)
add_library(tensorguard_commit STATIC ${commit_file})
add_dependencies(tensorguard_commit find_commit)
target_include_directories(tensorguard_commit PRIVATE ${PROJECT_SOURCE_DIR}/src)
