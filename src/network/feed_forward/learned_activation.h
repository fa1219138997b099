// An activation with parameters of its own: xIELU (Huang and Schlag 2024).
#ifndef TENSORGUARD_NETWORK_FEED_FORWARD_LEARNED_ACTIVATION_H_
#define TENSORGUARD_NETWORK_FEED_FORWARD_LEARNED_ACTIVATION_H_

#include <optional>

#include "network/parts/layer_parts.h"
#include "network/weight.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// a x^2 + b x above 0, and c (e^min(x, d) - 1 - x) + b x below, with a and c stored so that they
// stay positive. Points into a network: valid as long as that lives.
struct LearnedActivation {
  const WeightSource* source = nullptr;
  const Weight* alpha_above = nullptr;
  const Weight* alpha_below = nullptr;
  const Weight* beta = nullptr;     // null: 1/2
  const Weight* epsilon = nullptr;  // null: -1e-6

  bool Holds(const Weight& weight) const;

  // Errors: those of ReadVector.
  Result<void> Apply(FloatMatrix& rows) const;
};

// Empty where the layer has none.
std::optional<LearnedActivation> FindLearnedActivation(const LayerParts& layer);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_FEED_FORWARD_LEARNED_ACTIVATION_H_
