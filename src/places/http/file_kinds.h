// How long the files beside a model's weights may be.
#ifndef TENSORGUARD_PLACES_HTTP_FILE_KINDS_H_
#define TENSORGUARD_PLACES_HTTP_FILE_KINDS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace tensorguard::internal {

// By the end of the file's name: what the reader of such a file takes at most. Empty for weights,
// and for what is not known. A server that gives no ranges and no end is told so early.
std::optional<uint64_t> MostBytesOfKind(std::string_view path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_FILE_KINDS_H_
