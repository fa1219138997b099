#include "network/feed_forward/feed_forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr float kClampedSlope = 1.702f;  // of the sigmoid, as in the approximation of GELU by it

float ClampedGate(float gate, float up, float limit) {
  const float bounded = std::min(gate, limit);
  const float activated = bounded * Activate(Activation::kSigmoid, kClampedSlope * bounded);
  return activated * (std::clamp(up, -limit, limit) + 1);
}

Result<FloatMatrix> ApplyDown(const FeedForward& block, FloatMatrix inner) {
  if (!block.inner_norm) return block.down.Apply(inner);
  auto normalised = block.inner_norm->Apply(std::move(inner));
  if (!normalised) return normalised;
  return block.down.Apply(*normalised);
}

Error GateMismatch(const LinearMap& gate, uint64_t width) {
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the gate is not as wide as the half that it scales",
               .tensor = gate.source->tensors()[gate.weight->tensor_index].name,
               .found = fmt::format("{} rows", gate.outputs()),
               .expected = fmt::format("{}", width)};
}

}  // namespace

std::optional<FeedForward> FindFeedForward(const LayerParts& layer,
                                           const FeedForwardSettings& settings,
                                           const PartFilter& filter) {
  const auto up = layer.FindMap(Role::kUp, filter);
  const auto down = layer.FindMap(Role::kDown, filter);
  if (!up || !down) return {};
  return FeedForward{layer.FindMap(Role::kGate, filter), *up, *down, settings};
}

Result<FloatMatrix> RunFeedForward(const FeedForward& block, const FloatMatrix& rows) {
  if (block.gate && block.gate->outputs() != block.up.outputs()) {
    return GateMismatch(*block.gate, block.up.outputs());
  }
  auto inner = block.up.Apply(rows);
  if (!inner) return inner;
  const FeedForwardSettings& settings = block.settings;
  if (!block.gate) {
    Activate(settings.activation, inner->values());
    return ApplyDown(block, *std::move(inner));
  }
  TG_ASSIGN(const auto gate, block.gate->Apply(rows));
  const auto gates = gate.values();
  const auto values = inner->values();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = settings.clamp ? ClampedGate(gates[i], values[i], *settings.clamp)
                               : Activate(settings.activation, gates[i]) * values[i];
  }
  return ApplyDown(block, *std::move(inner));
}

}  // namespace tensorguard::internal
