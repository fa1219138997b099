#include "tokenizers/files/tiktoken.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/text.h"
#include "base/try.h"
#include "tokenizers/files/base64.h"

namespace tensorguard::internal {
namespace {

std::optional<uint64_t> ParseRank(std::string_view text) {
  uint64_t rank = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return rank;
}

Result<void> AddLine(std::string_view line, TokenList& tokens) {
  const size_t space = line.find(' ');
  const auto bytes = DecodeBase64(line.substr(0, space));
  const auto rank = ParseRank(space == line.npos ? "" : line.substr(space + 1));
  if (!bytes || bytes->empty() || !rank) {
    return Error{.problem = "a line is no token with its rank",
                 .found = EscapeControl(line, 80),
                 .expected = "base64, a space and a number"};
  }
  return tokens.Add(*rank, *bytes);
}

}  // namespace

bool LooksLikeTiktoken(std::string_view bytes) {
  return !bytes.empty() && IsBase64Letter(bytes.front());
}

Result<Vocabulary> ParseTiktoken(std::string_view text) {
  Vocabulary vocabulary = {.kind = TokenizerKind::kByteLevelBpe, .tokens = {}, .file = {}};
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (auto added = AddLine(text.substr(begin, end - begin), vocabulary.tokens); !added) {
      Error error = std::move(added).error();
      error.byte_offset = begin;
      return error;
    }
    begin = end + 1;
  }
  TG_TRY(vocabulary.tokens.SortById());
  return vocabulary;
}

}  // namespace tensorguard::internal
