#include "network/feed_forward/learned_activation.h"

#include <algorithm>
#include <cmath>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/linear_map.h"

namespace tensorguard::internal {
namespace {

Result<float> ReadNumber(const WeightSource& source, const Weight* weight, float otherwise) {
  if (weight == nullptr) return otherwise;
  TG_ASSIGN(const auto values, ReadVector(source, *weight, 1));
  return values.front();
}

}  // namespace

bool LearnedActivation::Holds(const Weight& weight) const {
  return &weight == alpha_above || &weight == alpha_below || &weight == beta || &weight == epsilon;
}

Result<void> LearnedActivation::Apply(FloatMatrix& rows) const {
  TG_ASSIGN(const auto linear, ReadNumber(*source, beta, 0.5f));
  TG_ASSIGN(const auto smallest, ReadNumber(*source, epsilon, -1e-6f));
  TG_ASSIGN(const auto above, ReadNumber(*source, alpha_above, 0));
  TG_ASSIGN(const auto below, ReadNumber(*source, alpha_below, 0));
  const float square = Softplus(above);
  const float exponential = linear + Softplus(below);
  for (float& x : rows.values()) {
    const float curved =
        x > 0 ? square * x * x : (std::expm1(std::min(x, smallest)) - x) * exponential;
    x = curved + linear * x;
  }
  return {};
}

std::optional<LearnedActivation> FindLearnedActivation(const LayerParts& layer) {
  LearnedActivation found{.source = &layer.source(),
                          .alpha_above = layer.Named("act_fn.alpha_p"),
                          .alpha_below = layer.Named("act_fn.alpha_n"),
                          .beta = layer.Named("act_fn.beta"),
                          .epsilon = layer.Named("act_fn.eps")};
  if (found.alpha_above == nullptr || found.alpha_below == nullptr) return {};
  return found;
}

}  // namespace tensorguard::internal
