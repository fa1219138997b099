// Base64, as RFC 4648 defines it.
#ifndef TENSORGUARD_TOKENIZERS_FILES_BASE64_H_
#define TENSORGUARD_TOKENIZERS_FILES_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace tensorguard::internal {

// True for the 64 letters; false for the padding.
bool IsBase64Letter(char letter);

// The bytes of padded base64 in one piece. Empty if a letter, the length, the padding or the unused
// bits are wrong: two texts never stand for the same bytes.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_BASE64_H_
