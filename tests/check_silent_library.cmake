# Fails when the library prints, exits, or reads the environment or the clock: apps do that.
# Looks at the symbols that the object files ask for.
# Run as: cmake -D LIBRARIES=a.a;b.a -D NM=nm -P check_silent_library.cmake
cmake_minimum_required(VERSION 3.25)

set(forbidden "printf|vprintf|fprintf|vfprintf|puts|fputs|putchar|fwrite|exit|_exit|quick_exit|getenv|secure_getenv|setlocale|time|clock_gettime|gettimeofday|std::cout|std::cerr|std::clog|std::chrono::_V2::[a-z]*_clock::now\\(\\)")
set(seen 0)
foreach(library IN LISTS LIBRARIES)
  execute_process(COMMAND ${NM} --undefined-only --demangle ${library}
                  OUTPUT_VARIABLE symbols ERROR_QUIET RESULT_VARIABLE status)
  if(status)
    message(FATAL_ERROR "nm cannot read ${library}")
  endif()
  string(REGEX MATCHALL "\n +U [^\n]+" undefined "${symbols}")
  list(LENGTH undefined count)
  math(EXPR seen "${seen} + ${count}")
  foreach(symbol IN LISTS undefined)
    # Armadillo's headers name the streams in print functions that nothing calls.
    if(library MATCHES "numerics|weights|network|frame|fingerprint|comparison|families|paper|profile|independence|transform|report|api" AND symbol MATCHES "U std::c(out|err)")
      continue()
    endif()
    # Transfers wait before they try again, and a wait of the standard library asks the clock.
    if(library MATCHES "places" AND symbol MATCHES "U std::chrono::_V2::steady_clock::now")
      continue()
    endif()
    if(symbol MATCHES "^\n +U (${forbidden})(@|$)")
      message(SEND_ERROR "${library} uses ${CMAKE_MATCH_1}")
    endif()
  endforeach()
endforeach()
if(seen LESS 100)
  message(FATAL_ERROR "only ${seen} symbols found: the check is broken")
endif()
