// The plain forward pass: proves the description that the response kernels rest on.
#ifndef TENSORGUARD_NETWORK_FORWARD_H_
#define TENSORGUARD_NETWORK_FORWARD_H_

#include <cstdint>
#include <span>
#include <vector>

#include "network/network.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ForwardResult {
  // [tokens, hidden] each: what enters the first layer, then what leaves each layer, the last one
  // through the final norm (as the field's libraries report hidden states). Of an encoder-decoder:
  // the decoder's.
  std::vector<FloatMatrix> hidden;
  FloatMatrix last_stream;  // what leaves the last layer, before the final norm
  FloatMatrix logits;       // [tokens, vocabulary]; empty where there is no head
};

struct ForwardOptions {
  // What a library computes by itself and keeps beside the weights, rotary frequencies and waves of
  // positions, as it is in a model that was converted to bfloat16.
  bool rounded_buffers = false;
};

// One sequence through the network, without caches or tricks. `decoder_ids` for an encoder-decoder,
// else empty. REQUIRES: ids below the vocabulary's size. Errors: those of ApplyWeight; kUnsupported
// for a description that names no position scheme or another part that only sequences need.
Result<ForwardResult> RunForward(const Network& network, std::span<const uint32_t> input_ids,
                                 std::span<const uint32_t> decoder_ids = {},
                                 const ForwardOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_FORWARD_H_
