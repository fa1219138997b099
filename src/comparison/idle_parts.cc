#include "comparison/idle_parts.h"

#include <algorithm>
#include <map>

#include "comparison/thresholds.h"
#include "roles/layer_place.h"

namespace tensorguard::internal {
namespace {

bool Has(const LayerForms& layer, FormKind kind) {
  return !layer.forms[static_cast<size_t>(kind)].values().empty();
}

// Layers that have both halves, of which one alone has a form: what writes nothing has none. Only
// where other layers show that the model's halves have forms.
bool ManyHalvesAreIdle(const Fingerprint& model) {
  std::map<LayerPlace, const LayerForms*> forms;
  bool attention = false;
  bool feed_forward = false;
  for (const LayerForms& layer : model.frame.layers) {
    forms[{layer.stack, layer.index}] = &layer;
    attention = attention || Has(layer, FormKind::kOutputValue);
    feed_forward = feed_forward || Has(layer, FormKind::kFeedForward);
  }
  if (!attention || !feed_forward) return false;
  size_t halved = 0;
  for (const LayerResponse& layer : model.layers) {
    if (layer.mixer != MixerKind::kAttention || !layer.feed_forward_gain) continue;
    const auto found = forms.find({layer.stack, layer.index});
    if (found == forms.end()) continue;
    const bool mixes = Has(*found->second, FormKind::kOutputValue);
    halved += mixes != Has(*found->second, FormKind::kFeedForward) ? 1 : 0;
  }
  return static_cast<double>(halved) >= kManyIdle * static_cast<double>(model.layers.size()) &&
         halved > 0;
}

bool StreamIsUnwritten(const Fingerprint& model) {
  bool any = false;
  double least = 1;
  for (const WeightSummary& weight : model.weights) {
    const Role role = weight.role.role;
    const bool writes = role == Role::kOutputProjection || role == Role::kDown;
    if (!writes || !weight.role.layer || weight.is_vector || weight.zero_fraction == 1) continue;
    any = true;
    least = std::min(least, weight.zero_row_fraction);
  }
  return any && least >= kUnwritten;
}

}  // namespace

bool HasIdleParts(const Fingerprint& model) {
  return ManyHalvesAreIdle(model) || StreamIsUnwritten(model);
}

}  // namespace tensorguard::internal
