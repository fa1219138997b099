# Fails when two headers of src/ define a type of one name: the linker would take the functions of
# one for those of the other, without a word.
# Run as: cmake -D SOURCE_DIR=... -P check_type_names.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE headers ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/tests/support/*.h)
set(seen 0)
foreach(header IN LISTS headers)
  file(STRINGS ${header} definitions REGEX "^(struct|class|enum class) .*{")
  foreach(definition IN LISTS definitions)
    string(REGEX MATCH "^(struct|enum class|class) (alignas\\([^)]*\\) |\\[\\[nodiscard\\]\\] )?([A-Za-z0-9_]+)" unused
                 "${definition}")
    set(name ${CMAKE_MATCH_3})
    math(EXPR seen "${seen} + 1")
    if(DEFINED header_of_${name})
      message(SEND_ERROR "${name} is defined in ${header_of_${name}} and in ${header}")
    endif()
    set(header_of_${name} ${header})
  endforeach()
endforeach()
if(seen LESS 100)
  message(FATAL_ERROR "only ${seen} types found: the check is broken")
endif()
