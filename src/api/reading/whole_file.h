// Files that are read from their beginning to their end.
#ifndef TENSORGUARD_API_READING_WHOLE_FILE_H_
#define TENSORGUARD_API_READING_WHOLE_FILE_H_

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

#include "api/session.h"
#include "base/file.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Hands on all bytes in pieces of some megabytes, and tells the listener where it is, under
// `label`. Errors: those of the file; kCancelled.
Result<void> ReadThrough(const File& file, std::string_view label,
                         const std::function<void(std::span<const std::byte>)>& take,
                         const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_WHOLE_FILE_H_
