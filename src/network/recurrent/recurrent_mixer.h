// What mixes tokens in another way than by attention with a query, a key and a value: mostly by a
// state that is carried from token to token.
#ifndef TENSORGUARD_NETWORK_RECURRENT_RECURRENT_MIXER_H_
#define TENSORGUARD_NETWORK_RECURRENT_RECURRENT_MIXER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "architecture/config_view.h"
#include "network/parts/layer_parts.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Sides of a head's state above this are refused: published models have 256 at most, and a file of
// a few megabytes could else ask for hours of work.
inline constexpr uint64_t kLargestStateSide = 1024;

// What the mixer adds to the residual stream, its own output projection and inner norms included:
// rows [n, hidden] to the same shape. `rows` holds sequences of `sequence_length` tokens one after
// the other; each starts from the empty state. REQUIRES: sequence_length divides rows.rows().
// Errors: those of ApplyWeight; kBadFile, naming the tensor or the key of the config, where parts
// are missing or contradict each other.
using MixerFunction = Result<FloatMatrix> (*)(const LayerParts& layer, const ConfigView& config,
                                              const FloatMatrix& rows, size_t sequence_length);

// Whether config and shapes fit each other; reads no weights. Errors: those of `run` that do not
// come from the numbers.
using MixerCheck = Result<void> (*)(const LayerParts& layer, const ConfigView& config);

struct RecurrentMixer {
  std::string_view name;  // "mamba", "gated delta net", ...
  MixerFunction run = nullptr;
  MixerCheck check = nullptr;  // null: shapes alone tell all sizes
};

// Told by the names of the layer's weights; null if it is none that is known.
const RecurrentMixer* FindRecurrentMixer(const LayerParts& layer);

// True for the name of a weight that lies in that mixer's module.
bool IsOfRecurrentMixer(const LayerParts& layer, std::string_view name);

// A feed-forward that mixes tokens too (RWKV's); null where the layer's is an ordinary one.
const RecurrentMixer* FindRecurrentFeedForward(const LayerParts& layer);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_RECURRENT_RECURRENT_MIXER_H_
