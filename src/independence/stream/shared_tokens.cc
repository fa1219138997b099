#include "independence/stream/shared_tokens.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace tensorguard::internal {
namespace {

bool IsText(const Token& token) {
  return token.token_class == TokenClass::kText || token.token_class == TokenClass::kLiteral;
}

std::vector<TokenPair> EvenlySpaced(const std::vector<TokenPair>& pairs) {
  if (pairs.size() <= kMostTokens) return pairs;
  std::vector<TokenPair> chosen(kMostTokens);
  for (size_t i = 0; i < kMostTokens; ++i) chosen[i] = pairs[i * pairs.size() / kMostTokens];
  return chosen;
}

}  // namespace

std::vector<TokenPair> TokensWithEqualText(const Vocabulary& a, uint64_t vocabulary_size_a,
                                           const Vocabulary& b, uint64_t vocabulary_size_b) {
  std::map<std::string_view, uint32_t> id_in_b;
  for (size_t i = 0; i < b.tokens.size(); ++i) {
    const Token token = b.tokens[i];
    if (IsText(token) && token.id < vocabulary_size_b) id_in_b.emplace(token.text, token.id);
  }
  std::vector<TokenPair> pairs;
  for (size_t i = 0; i < a.tokens.size(); ++i) {
    const Token token = a.tokens[i];
    if (!IsText(token) || token.id >= vocabulary_size_a) continue;
    const auto found = id_in_b.find(token.text);
    if (found == id_in_b.end()) continue;
    pairs.push_back({.a = token.id, .b = found->second});
    id_in_b.erase(found);
  }
  return EvenlySpaced(pairs);
}

std::vector<TokenPair> TokensWithEqualId(uint64_t vocabulary_size_a, uint64_t vocabulary_size_b) {
  if (vocabulary_size_a != vocabulary_size_b) return {};
  std::vector<TokenPair> pairs;
  const uint64_t step = std::max<uint64_t>(1, (vocabulary_size_a + kMostTokens - 1) / kMostTokens);
  for (uint64_t id = 0; id < vocabulary_size_a; id += step) {
    pairs.push_back({.a = static_cast<uint32_t>(id), .b = static_cast<uint32_t>(id)});
  }
  return pairs;
}

Result<SharedTokens> FindSharedTokens(const Model& model_a, const Network& network_a,
                                      const Model& model_b, const Network& network_b) {
  const uint64_t size_a = network_a.description().vocabulary_size;
  const uint64_t size_b = network_b.description().vocabulary_size;
  const auto vocabulary_a = ReadVocabulary(model_a.tokenizer_folder, *model_a.files);
  const auto vocabulary_b = ReadVocabulary(model_b.tokenizer_folder, *model_b.files);
  if (vocabulary_a && vocabulary_b) {
    return SharedTokens{.pairs = TokensWithEqualText(*vocabulary_a, size_a, *vocabulary_b, size_b),
                        .note = {}};
  }
  const auto& unread = vocabulary_a ? vocabulary_b : vocabulary_a;
  const ErrorKind kind = unread.error().kind;
  if (kind == ErrorKind::kSystem || kind == ErrorKind::kCancelled) return unread.error();
  return SharedTokens{
      .pairs = TokensWithEqualId(size_a, size_b),
      .note = "tokens are taken for the same by their id, because a vocabulary cannot be read: " +
              DescribeError(unread.error())};
}

}  // namespace tensorguard::internal
