// Which weights of a network make its forms, and what lies between them and the residual stream.
#ifndef TENSORGUARD_PROFILE_FRAME_FRAME_PLAN_H_
#define TENSORGUARD_PROFILE_FRAME_FRAME_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "network/attention/attention.h"
#include "network/network.h"
#include "network/weight.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

using SharedFactors = std::shared_ptr<const std::vector<float>>;

// A matrix beside the residual stream: one that reads it has the stream as its columns, one that
// writes it as its rows.
struct StreamWeight {
  const Weight* weight = nullptr;
  bool writes = false;
  SharedFactors stream_factors = {};  // gain of the norm between, by stream dimension
  SharedFactors inner_factors = {};   // of one that writes: gain of a norm on its inputs, or null

  uint64_t outer() const { return writes ? weight->columns : weight->rows; }
};

// One attention, one dense feed-forward, or one expert. Indices in FramePlan::weights.
struct FramePart {
  bool is_attention = false;
  AttentionShape shape = {};    // of an attention
  std::vector<size_t> weights;  // query, key, value, output; or gate, up, down (without a gate: up,
                                // down)
};

struct FrameLayer {
  std::string stack = {};
  uint32_t index = 0;
  std::vector<FramePart> parts = {};
};

struct FramePlan {
  uint64_t hidden = 0;
  bool centres = false;  // LayerNorm: the mean of the stream reaches nothing
  std::vector<StreamWeight> weights = {};
  std::vector<FrameLayer> layers = {};  // those with any part
  const WeightSource* source = nullptr;
};

// Reads the gains. What does not fit the width of the residual stream, latent attention and
// recurrent mixers are left out. Errors: those of Norm::ReadGain.
Result<FramePlan> PlanFrame(const Network& network);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FRAME_FRAME_PLAN_H_
