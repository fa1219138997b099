#include "base/system_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace tensorguard::internal {

Error SystemError(std::string_view action, const std::string& path, int error_number) {
  const bool missing = error_number == ENOENT || error_number == ENOTDIR;
  return {.kind = missing ? ErrorKind::kNotFound : ErrorKind::kSystem,
          .problem =
              fmt::format("cannot {}: {}", action, std::generic_category().message(error_number)),
          .file = path};
}

}  // namespace tensorguard::internal
