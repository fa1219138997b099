#include "places/http/file_kinds.h"

#include <array>

#include "base/json.h"
#include "tokenizers/tokenizer_limits.h"

namespace tensorguard::internal {
namespace {

struct Kind {
  std::string_view ending;
  uint64_t most_bytes;
};

// Longer endings come before their own ends.
constexpr std::array kKinds = std::to_array<Kind>({
    {".index.json", kIndexJsonLimitBytes},
    {"tokenizer.json", kTokenizerLimitBytes},
    {"vocab.json", kTokenizerLimitBytes},
    {"tekken.json", kTokenizerLimitBytes},
    {".json", kSmallJsonLimitBytes},
    {"vocab.txt", kTokenizerLimitBytes},
    {".model", kTokenizerLimitBytes},
    {".tiktoken", kTokenizerLimitBytes},
});

}  // namespace

std::optional<uint64_t> MostBytesOfKind(std::string_view path) {
  for (const Kind& kind : kKinds) {
    if (path.ends_with(kind.ending)) return kind.most_bytes;
  }
  return {};
}

}  // namespace tensorguard::internal
