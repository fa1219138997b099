# Fails when a document names a file of the project that does not exist.
# Run as: cmake -D SOURCE_DIR=... -P check_documented_paths.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB documents ${SOURCE_DIR}/*.md ${SOURCE_DIR}/src/*.md ${SOURCE_DIR}/docs/*.md
     ${SOURCE_DIR}/docs/*/*.md ${SOURCE_DIR}/python/*.md ${SOURCE_DIR}/benchmarks/*.md)
set(checked 0)
foreach(document IN LISTS documents)
  get_filename_component(folder ${document} DIRECTORY)
  file(READ ${document} text)
  # Square brackets would keep CMake from splitting lists.
  string(REPLACE "](" "LINK:" text "${text}")
  # `src/x/y.cc`, `bench/z.sh` in the text; [links](relative/path.md).
  string(REGEX MATCHALL "`(src|apps|tests|bench|benchmarks|docs|fuzz|scripts|examples|cmake|python|packaging|integrations|include)/[A-Za-z0-9_./-]+" named
                        "${text}")
  # Not those to other sites.
  string(REGEX REPLACE "LINK:https?://" "" text "${text}")
  string(REGEX MATCHALL "LINK:[A-Za-z0-9_./-]+" linked "${text}")
  foreach(path IN LISTS named)
    string(SUBSTRING ${path} 1 -1 path)
    math(EXPR checked "${checked} + 1")
    if(NOT EXISTS ${SOURCE_DIR}/${path})
      message(SEND_ERROR "${document}: ${path} does not exist")
    endif()
  endforeach()
  foreach(path IN LISTS linked)
    string(SUBSTRING ${path} 5 -1 path)
    math(EXPR checked "${checked} + 1")
    if(NOT EXISTS ${folder}/${path})
      message(SEND_ERROR "${document}: ${path} does not exist")
    endif()
  endforeach()
endforeach()
if(checked LESS 20)
  message(FATAL_ERROR "only ${checked} paths found: the check is broken")
endif()
