#include "tokenizers/files/vocabulary_files.h"

#include <algorithm>

#include "base/try.h"
#include "tokenizers/files/json_walk.h"

namespace tensorguard::internal {
namespace {

Result<Vocabulary> Decoded(const TokenList& spelled, TokenizerKind kind) {
  TG_ASSIGN(auto tokens, DecodeTokens(spelled, kind));
  return Vocabulary{.kind = kind, .tokens = std::move(tokens), .file = {}};
}

}  // namespace

Result<Vocabulary> ParseVocabJson(std::string_view text) {
  TokenList spelled;
  auto walked = WalkJson(text, [&](JsonPath path, const JsonScalar& value) -> Result<void> {
    const auto* id = std::get_if<uint64_t>(&value);
    if (path.size() != 1 || path[0].in_array || id == nullptr) {
      return Error{.problem = "not a vocabulary", .expected = "an object of tokens and their ids"};
    }
    const std::string& token = path[0].key;
    return spelled.Add(*id, token,
                       IsControlByName(token) ? TokenClass::kSpecial : TokenClass::kText);
  });
  if (!walked) return std::move(walked).error();
  const auto kind = KindBySpelling(spelled);
  if (!kind) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "nothing tells how the vocabulary spells a space",
                 .expected = "tokens that start with U+0120 or U+2581"};
  }
  return Decoded(spelled, *kind);
}

Result<Vocabulary> ParseVocabTxt(std::string_view text) {
  TokenList spelled;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    TG_TRY(spelled.Add(spelled.size(), line));
    begin = end + 1;
  }
  return Decoded(spelled, TokenizerKind::kWordPiece);
}

}  // namespace tensorguard::internal
