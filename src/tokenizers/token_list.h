// Tokens with their ids, all strings in one buffer.
#ifndef TENSORGUARD_TOKENIZERS_TOKEN_LIST_H_
#define TENSORGUARD_TOKENIZERS_TOKEN_LIST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// Sixty times the largest vocabulary in use. Ids need not be dense, so memory follows the number of
// tokens, never the highest id.
inline constexpr uint64_t kHighestTokenId = (1u << 24) - 1;

enum class TokenClass : uint8_t {
  kText,     // stands for text
  kLiteral,  // the same, but a tokenizer file spells it as it is (an added token)
  kByte,     // one byte of a text that no other token covers (SentencePiece's "<0x0A>")
  kSpecial,  // a control token: its string is a name and stands for no text
};

struct Token {
  uint32_t id = 0;
  TokenClass token_class = TokenClass::kText;
  std::string_view text;  // any bytes; lives as long as the list
};

class TokenList {
 public:
  // Errors: kBadFile if `id` is above kHighestTokenId.
  Result<void> Add(uint64_t id, std::string_view text, TokenClass token_class = TokenClass::kText);

  // Brings the tokens into the order of their ids. Errors: kBadFile if two have the same.
  Result<void> SortById();

  size_t size() const { return entries_.size(); }
  Token operator[](size_t index) const {
    const Entry& entry = entries_[index];
    return {entry.id, entry.token_class,
            std::string_view(strings_).substr(entry.begin, entry.length)};
  }

 private:
  struct Entry {
    uint64_t begin = 0;  // in `strings_`
    uint32_t length = 0;
    uint32_t id = 0;
    TokenClass token_class = TokenClass::kText;
  };

  std::vector<Entry> entries_;
  std::string strings_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_TOKEN_LIST_H_
