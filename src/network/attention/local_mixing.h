// What an attention mixes in from the neighbours of a token by convolutions.
#ifndef TENSORGUARD_NETWORK_ATTENTION_LOCAL_MIXING_H_
#define TENSORGUARD_NETWORK_ATTENTION_LOCAL_MIXING_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "network/attention/attention.h"
#include "network/parts/layer_parts.h"
#include "network/parts/linear_map.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Heads beside those of attention, each a convolution whose taps hang on the token (Jiang et al.
// 2020, "ConvBERT"). Points into a network: valid as long as that lives.
struct SpanConvolution {
  const Weight* depthwise = nullptr;  // [hidden, width]: taps per column of the input
  LinearMap pointwise = {};           // what those make a key of
  const Weight* bias = nullptr;       // of the key
  LinearMap taps = {};                // query * key to `width` numbers per head
  LinearMap values = {};              // what is convolved

  // [n, heads * value_size]; sequences of `sequence_length` rows lie one after the other. Errors:
  // those of LinearMap::Apply; kBadFile where parts do not fit each other.
  Result<FloatMatrix> Run(const FloatMatrix& rows, const FloatMatrix& queries, uint64_t heads,
                          size_t sequence_length) const;
  bool Holds(const Weight& weight) const;
};

// What convolutions add to the result of attention, or put beside it.
struct LocalMixing {
  const WeightSource* source = nullptr;
  std::optional<SpanConvolution> span = {};
  // [heads, width] taps over the values, added (Xiong et al. 2021, "Nystromformer"); null: none.
  const Weight* value_taps = nullptr;

  bool Holds(const Weight& weight) const {
    return &weight == value_taps || (span && span->Holds(weight));
  }
};

// Empty where the layer has none.
std::optional<LocalMixing> FindLocalMixing(const LayerParts& parts);

// The result `mixed` of attention with what the convolutions give. `rows` are the attention's
// inputs, `projected` what it made of them. Errors: those of SpanConvolution::Run and ReadWeight.
Result<FloatMatrix> MixLocally(const LocalMixing& mixing, const AttentionShape& shape,
                               const FloatMatrix& rows, const AttentionRows& projected,
                               size_t sequence_length, FloatMatrix mixed);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_LOCAL_MIXING_H_
