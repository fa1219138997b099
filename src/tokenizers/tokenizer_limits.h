// How long the file of a vocabulary may be.
#ifndef TENSORGUARD_TOKENIZERS_TOKENIZER_LIMITS_H_
#define TENSORGUARD_TOKENIZERS_TOKENIZER_LIMITS_H_

#include <cstdint>

namespace tensorguard::internal {

// Four times the largest tokenizer.json in use (33 MB for 262,145 tokens).
inline constexpr uint64_t kTokenizerLimitBytes = 128ull << 20;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_TOKENIZER_LIMITS_H_
