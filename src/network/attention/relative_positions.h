// Scores that hang on how far a key lies from its query, by waves of the distance through a matrix
// of the layer (Dai et al. 2019, "Transformer-XL"): XLNet's and Funnel's.
#ifndef TENSORGUARD_NETWORK_ATTENTION_RELATIVE_POSITIONS_H_
#define TENSORGUARD_NETWORK_ATTENTION_RELATIVE_POSITIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "network/attention/attention.h"
#include "network/parts/layer_parts.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Where queries and keys stand.
struct RelativePlaces {
  std::vector<int64_t> queries;
  std::vector<int64_t> keys;
  bool first_is_apart = false;  // the first query and the first key have no place and no segment
  std::optional<uint64_t> farthest = {};  // distances beyond it count as it
  // Positions 0, 1, ... of a sequence that attends to itself.
  static RelativePlaces OfSequence(size_t length);
};

// (q + r_w_bias) . k + (q + r_r_bias) . R(distance) + (q + r_s_bias) . segment, of which q . k is
// the attention's own. Points into a network: valid as long as that lives.
struct RelativePositions {
  const WeightSource* source = nullptr;
  const Weight* map = nullptr;            // [width, heads * size]: waves to a key per head
  const Weight* content_bias = nullptr;   // [heads, size]
  const Weight* position_bias = nullptr;  // the same
  const Weight* segment_bias = nullptr;   // the same
  const Weight* segments = nullptr;       // [2, heads, size]: of another segment, of the same
  bool segments_count = false;            // also where nobody says them: all are the same then

  bool Holds(const Weight& weight) const {
    return &weight == map || &weight == content_bias || &weight == position_bias ||
           &weight == segment_bias || &weight == segments;
  }

  // What is added to scale * q . k, [heads * n, m]. Errors: those of ReadWeight; kBadFile, naming
  // the tensor, where a part does not fit the heads.
  Result<FloatMatrix> Bias(const AttentionRows& rows, const AttentionShape& shape, float scale,
                           const RelativePlaces& places) const;
};

// Empty where the layer has none.
std::optional<RelativePositions> FindRelativePositions(const LayerParts& parts);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_RELATIVE_POSITIONS_H_
