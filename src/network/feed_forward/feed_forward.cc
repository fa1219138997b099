#include "network/feed_forward/feed_forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

float ClampedGate(float gate, float up, float limit, float slope) {
  const float bounded = std::min(gate, limit);
  const float activated = bounded * Activate(Activation::kSigmoid, slope * bounded);
  return activated * (std::clamp(up, -limit, limit) + 1);
}

float GatedValue(const FeedForwardSettings& settings, float gate, float up) {
  if (settings.clamp) return ClampedGate(gate, up, *settings.clamp, settings.clamped_slope);
  if (settings.limit) {
    gate = std::min(gate, *settings.limit);
    up = std::clamp(up, -*settings.limit, *settings.limit);
  }
  return Activate(settings.activation, gate) * up;
}

Result<FloatMatrix> ApplyDown(const FeedForward& block, FloatMatrix inner) {
  TG_ASSIGN(const auto normalised, ApplyIfAny(block.inner_norm, std::move(inner)));
  auto added = block.down.Apply(normalised);
  if (!added || block.settings.down_factor == 1) return added;
  for (float& value : added->values()) value *= block.settings.down_factor;
  return added;
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
    if (block.learned) {
      TG_TRY(block.learned->Apply(*inner));
    } else {
      Activate(settings.activation, inner->values());
    }
    return ApplyDown(block, *std::move(inner));
  }
  TG_ASSIGN(const auto gate, block.gate->Apply(rows));
  const auto gates = gate.values();
  const auto values = inner->values();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = GatedValue(settings, gates[i] * settings.gate_factor, values[i]);
  }
  return ApplyDown(block, *std::move(inner));
}

}  // namespace tensorguard::internal
