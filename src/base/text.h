// Text that comes from files is attacker text: these make it safe to show.
#ifndef TENSORGUARD_BASE_TEXT_H_
#define TENSORGUARD_BASE_TEXT_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tensorguard::internal {

// `text` with control characters, bidirectional overrides, zero-width characters and bytes that are
// not UTF-8 replaced by \xNN or \u{NNNN}, and cut with "..." after `longest` bytes.
std::string EscapeControl(std::string_view text, size_t longest = 400);

// Whether `text` is UTF-8: no overlong forms, no surrogates.
bool IsUtf8(std::string_view text);

// The nearest of `known` to `given` by edit distance, if it is near enough to be a slip of the
// hand (at most a third of the letters differ).
std::optional<std::string> NearestName(std::string_view given, std::span<const std::string> known);

// `text` in lower case, ASCII letters only.
std::string LowerAscii(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_TEXT_H_
