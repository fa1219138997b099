# Writes which commit is built, and whether files that git knows were changed since; only if that is another
# than the file says, so that nothing is built again for nothing.
#   cmake -D SOURCE_DIR=... -D FILE=... -P write_commit.cmake
find_program(git git)
set(commit "")
if(git)
  execute_process(COMMAND ${git} -C ${SOURCE_DIR} describe --always --dirty=+changes --abbrev=40 --exclude=*
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(status)
    set(commit "")
  endif()
endif()
file(CONFIGURE OUTPUT ${FILE} CONTENT [[
#include "base/build_commit.h"

namespace tensorguard::internal {

std::string_view BuildCommit() { return "@commit@"; }

}  // namespace tensorguard::internal
]] @ONLY)
