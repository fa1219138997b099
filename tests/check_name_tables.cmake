# Fails when the sources use a hash table of the standard library: its hash has no seed, so that a file
# may hold as many names of one hash as it likes, and each lookup goes through all of them.
# Run as: cmake -D SOURCE_DIR=... -P check_name_tables.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE sources ${SOURCE_DIR}/src/*.h ${SOURCE_DIR}/src/*.cc ${SOURCE_DIR}/apps/*.cc)
set(seen 0)
foreach(source IN LISTS sources)
  math(EXPR seen "${seen} + 1")
  file(STRINGS ${source} tables REGEX "std::(unordered_|hash<)")
  foreach(table IN LISTS tables)
    message(SEND_ERROR "${source}: ${table}")
  endforeach()
endforeach()
if(seen LESS 300)
  message(FATAL_ERROR "only ${seen} files found: the check is broken")
endif()
