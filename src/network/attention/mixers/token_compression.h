// Many tokens' keys made one (DeepSeek V4), and the choice of the best of the results.
#ifndef TENSORGUARD_NETWORK_ATTENTION_MIXERS_TOKEN_COMPRESSION_H_
#define TENSORGUARD_NETWORK_ATTENTION_MIXERS_TOKEN_COMPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "architecture/config_view.h"
#include "network/attention/rotary.h"
#include "network/parts/named_module.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Every `rate` tokens of a sequence become one entry: a mean of their keys, column by column,
// weighted by a softmax of gates and places. Where windows overlap, the first half of a token's
// columns belong to the entry after its own.
struct TokenCompression {
  NamedModule module;
  std::string prefix;  // of its weights within the module
  uint64_t rate = 1;
  bool overlaps = false;

  // [n / rate, width], turned as the first token of each. Errors: those of NamedModule::Apply.
  Result<FloatMatrix> Apply(const FloatMatrix& rows, const Rotary& rotary, double epsilon) const;
};

// Tokens per entry in layers of a kind. Errors: kBadFile where config.json does not say it.
Result<uint64_t> ReadCompressionRate(const ConfigView& config, std::string_view kind);

// Of the entries that each token may see, keeps those that the indexer beside `compression` scores
// best, as many as config.json allows. `query_rows`: what queries are made of.
Result<void> KeepBestEntries(const TokenCompression& compression, const ConfigView& config,
                             const Rotary& rotary, const FloatMatrix& rows,
                             const FloatMatrix& query_rows, std::vector<std::vector<size_t>>& seen);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_MIXERS_TOKEN_COMPRESSION_H_
