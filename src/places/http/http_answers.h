// What servers say in their headers, parsed and put into words.
#ifndef TENSORGUARD_PLACES_HTTP_HTTP_ANSWERS_H_
#define TENSORGUARD_PLACES_HTTP_HTTP_ANSWERS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "places/http/http_connection.h"
#include "tensorguard/error.h"

namespace tensorguard::internal {

// "bytes 0-499/1234" (RFC 9110, 14.4) and "bytes */1234", whose range is empty.
struct ContentRange {
  std::optional<ByteRange> range;
  uint64_t size_bytes = 0;
};

// Empty for other units, an unknown size, and numbers that do not fit each other.
std::optional<ContentRange> ParseContentRange(std::string_view text);

// Decimal digits alone.
std::optional<uint64_t> ParseCount(std::string_view text);

// "Retry-After" in seconds; a date is not read.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view text);

// An ETag without quotes and "W/".
std::string_view BareTag(std::string_view etag);

// What tells one version of a file from another: ETag, else Last-Modified, else empty.
std::string VersionOf(const HttpHead& head);

// Whether asking again later may help: 408, 429 and 5xx but 501 and 505.
bool MayPass(int status);

// For an answer that is neither the file nor a redirect.
Error StatusError(const HttpHead& head, bool is_hub, bool token_was_sent);

// The error without `text` in it, which nobody may see. Empty text stands nowhere.
Error WithoutText(Error error, const std::string& text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_HTTP_ANSWERS_H_
