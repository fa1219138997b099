// Walks over the matrices of a decoder.
#ifndef TENSORGUARD_TRANSFORM_DECODER_PARTS_H_
#define TENSORGUARD_TRANSFORM_DECODER_PARTS_H_

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <cstdint>

#include "transform/decoder.h"

namespace tensorguard::internal {

// Every feed-forward of a layer: one, or all experts and the shared one.
template <typename Visit>
void ForEachBlock(DecoderLayer& layer, const Visit& visit) {
  for (FeedForwardMatrices& block : layer.blocks) visit(block);
  if (layer.shared) visit(*layer.shared);
}

// What reads the stream through the norm in front of attention.
template <typename Visit>
void ForEachAttentionReader(DecoderLayer& layer, const Visit& visit) {
  visit(layer.query);
  visit(layer.key);
  visit(layer.value);
}

// What reads it through the norm in front of the feed-forward.
template <typename Visit>
void ForEachFeedForwardReader(DecoderLayer& layer, const Visit& visit) {
  ForEachBlock(layer, [&](FeedForwardMatrices& block) {
    if (!block.gate.weight.is_empty()) visit(block.gate);
    visit(block.up);
  });
  if (!layer.router.weight.is_empty()) visit(layer.router);
  if (!layer.shared_gate.weight.is_empty()) visit(layer.shared_gate);
}

// What writes to the stream.
template <typename Visit>
void ForEachWriter(DecoderLayer& layer, const Visit& visit) {
  visit(layer.output);
  ForEachBlock(layer, [&](FeedForwardMatrices& block) { visit(block.down); });
}

// All matrices of attention and feed-forward.
template <typename Visit>
void ForEachProjection(DecoderLayer& layer, const Visit& visit) {
  ForEachAttentionReader(layer, visit);
  ForEachFeedForwardReader(layer, visit);
  ForEachWriter(layer, visit);
}

inline double RootMeanSquare(const arma::fmat& matrix) {
  if (matrix.is_empty()) return 0;
  return arma::norm(arma::vectorise(matrix)) / std::sqrt(static_cast<double>(matrix.n_elem));
}

// At least one, at most `count`.
inline uint64_t ShareOf(double share, uint64_t count) {
  const auto part = static_cast<uint64_t>(std::llround(share * static_cast<double>(count)));
  return std::min<uint64_t>(std::max<uint64_t>(part, 1), count);
}

// The same without an upper bound: what is added may be more than there is.
inline uint64_t AddedShare(double share, uint64_t count) {
  const auto part = static_cast<uint64_t>(std::llround(share * static_cast<double>(count)));
  return std::max<uint64_t>(part, 1);
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_DECODER_PARTS_H_
