// Tokens that two models have in common.
#ifndef TENSORGUARD_INDEPENDENCE_STREAM_SHARED_TOKENS_H_
#define TENSORGUARD_INDEPENDENCE_STREAM_SHARED_TOKENS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"
#include "network/network.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

struct TokenPair {
  uint32_t a = 0;  // ids
  uint32_t b = 0;
};

// At most this many pairs are used: twice the widest residual stream in common use, so that the
// map between embeddings is well determined.
inline constexpr size_t kMostTokens = 16384;

// The tokens with the same decoded text and below both vocabulary sizes (rows of the embeddings),
// evenly spaced over the ids of `a` if there are more than kMostTokens. Special tokens and single
// bytes are left out, as their strings are names; of tokens with equal texts the lowest id counts.
std::vector<TokenPair> TokensWithEqualText(const Vocabulary& a, uint64_t vocabulary_size_a,
                                           const Vocabulary& b, uint64_t vocabulary_size_b);

// For models without readable tokenizers: the same id where both have vocabularies of one size,
// else none.
std::vector<TokenPair> TokensWithEqualId(uint64_t vocabulary_size_a, uint64_t vocabulary_size_b);

struct SharedTokens {
  std::vector<TokenPair> pairs;
  std::string note;  // why ids stand in for texts, where they do; empty otherwise
};

// By text where both vocabularies can be read, else by id. Errors: kSystem, kCancelled where one is
// there and cannot be read now.
Result<SharedTokens> FindSharedTokens(const Model& model_a, const Network& network_a,
                                      const Model& model_b, const Network& network_b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STREAM_SHARED_TOKENS_H_
