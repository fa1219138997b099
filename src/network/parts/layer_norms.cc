#include "network/parts/layer_norms.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/try.h"
#include "network/parts/norm_slots.h"

namespace tensorguard::internal {
namespace {

struct NamedNorm {
  std::string_view module;
  const Weight* gain = nullptr;
  const Weight* bias = nullptr;
};

// The name up to the parameter: "...input_layernorm" of "...input_layernorm.weight".
std::string_view ModuleOf(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return name;
  const std::string last = LowerAscii(name.substr(dot + 1));
  for (const std::string_view parameter : {"weight", "bias", "gamma", "beta", "scale", "gain"}) {
    if (last == parameter) return name.substr(0, dot);
  }
  return name;
}

std::vector<NamedNorm> FindNorms(const LayerParts& parts) {
  std::vector<NamedNorm> norms;
  for (const Weight* weight : parts.weights()) {
    const std::string& name = parts.NameOf(*weight);
    const bool aside = name.find(".indexer.") != std::string::npos ||
                       name.find(kExtraInput) != std::string::npos ||
                       EndsInWords(name, "post_per_layer_input_norm.weight");
    if (weight->role.role != Role::kNorm || aside) continue;
    const std::string_view module = ModuleOf(parts.NameOf(*weight));
    // Tensors are sorted by name: gain and bias of a module follow each other.
    if (norms.empty() || norms.back().module != module) norms.push_back({module});
    (weight->role.is_bias ? norms.back().bias : norms.back().gain) = weight;
  }
  return norms;
}

std::optional<Norm>* PlaceFor(PlacedNorms& placed, NormSlot slot) {
  switch (slot) {
    case NormSlot::kMixerInput:
      return &placed.layer.mixer_input;
    case NormSlot::kMixerOutput:
      return &placed.layer.mixer_output;
    case NormSlot::kMixerSum:
      return &placed.layer.mixer_sum;
    case NormSlot::kCrossInput:
      return &placed.layer.cross_input;
    case NormSlot::kCrossOutput:
      return &placed.layer.cross_output;
    case NormSlot::kCrossSum:
      return &placed.layer.cross_sum;
    case NormSlot::kFeedForwardInput:
      return &placed.layer.feed_forward_input;
    case NormSlot::kFeedForwardOutput:
      return &placed.layer.feed_forward_output;
    case NormSlot::kFeedForwardSum:
      return &placed.layer.feed_forward_sum;
    case NormSlot::kInnerFeedForward:
      return &placed.inner_feed_forward;
    case NormSlot::kEmbedding:
      return &placed.embedding;
    default:
      return nullptr;
  }
}

// Norms of the block that reads the encoder stand around that block, whatever else their names say.
NormSlot CrossSlot(NormSlot slot) {
  if (slot == NormSlot::kMixerInput) return NormSlot::kCrossInput;
  if (slot == NormSlot::kMixerSum) return NormSlot::kCrossSum;
  if (slot == NormSlot::kMixerOutput) return NormSlot::kCrossOutput;
  const bool of_cross = slot == NormSlot::kCrossInput || slot == NormSlot::kCrossOutput ||
                        slot == NormSlot::kCrossSum || slot == NormSlot::kQuery ||
                        slot == NormSlot::kKey;
  return of_cross ? slot : NormSlot::kOther;
}

void PlaceInAttention(NormSlot slot, const NamedNorm& norm, AttentionNorms& attention) {
  if (slot == NormSlot::kQuery) {
    attention.query_gain = norm.gain;
    attention.query_bias = norm.bias;
  }
  if (slot == NormSlot::kKey) {
    attention.key_gain = norm.gain;
    attention.key_bias = norm.bias;
  }
  if (slot == NormSlot::kInnerAttention) {
    attention.inner_gain = norm.gain;
    attention.inner_bias = norm.bias;
  }
}

Result<void> CheckWidth(const StackContext& context, const std::optional<Norm>& norm) {
  if (!norm || norm->gain == nullptr) return {};
  const uint64_t width = norm->gain->rows * norm->gain->columns;
  if (width == context.hidden_size) return {};
  const TensorInfo& tensor = context.source->tensors()[norm->gain->tensor_index];
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the norm is not as wide as the residual stream",
               .file = tensor.file,
               .tensor = tensor.name,
               .found = std::to_string(width) + " elements",
               .expected = std::to_string(context.hidden_size)};
}

Result<void> CheckWidths(const StackContext& context, const LayerNorms& norms) {
  for (const auto* norm :
       {&norms.mixer_input, &norms.mixer_output, &norms.mixer_sum, &norms.cross_input,
        &norms.cross_output, &norms.cross_sum, &norms.feed_forward_input,
        &norms.feed_forward_output, &norms.feed_forward_sum}) {
    if (auto fits = CheckWidth(context, *norm); !fits) return fits;
  }
  return {};
}

}  // namespace

Result<PlacedNorms> PlaceNorms(const StackContext& context, const LayerParts& parts) {
  const std::vector<NamedNorm> norms = FindNorms(parts);
  std::vector<std::string_view> names;
  names.reserve(norms.size());
  for (const NamedNorm& norm : norms) names.push_back(norm.module);
  const bool has_cross = parts.Find(Role::kQuery, {.cross_attention = true}) != nullptr;
  NormPlacement placement = context.traits->placement;
  if (const auto flag = context.config.Flag(context.traits->placement_flag)) {
    placement = *flag ? NormPlacement::kBefore : NormPlacement::kAfterSum;
  }
  const std::vector<NormSlot> slots = LayerNormSlots(names, has_cross, placement);
  PlacedNorms placed;
  for (size_t i = 0; i < norms.size(); ++i) {
    const Weight* any = norms[i].gain != nullptr ? norms[i].gain : norms[i].bias;
    const NormSlot slot = any->role.cross_attention ? CrossSlot(slots[i]) : slots[i];
    PlaceInAttention(slot, norms[i],
                     any->role.cross_attention ? placed.cross_attention : placed.attention);
    if (slot == NormSlot::kOther) placed.unplaced = std::string(norms[i].module);
    std::optional<Norm>* place = PlaceFor(placed, slot);
    if (place != nullptr && *place) placed.unplaced = std::string(norms[i].module);
    if (place != nullptr && !*place) {
      *place = MakeNorm(context, norms[i].gain, norms[i].bias);
    }
  }
  if (context.traits->unweighted_norms) {
    placed.layer.mixer_input = MakeNorm(context, nullptr, nullptr);
    placed.layer.feed_forward_input = MakeNorm(context, nullptr, nullptr);
  }
  TG_TRY(CheckWidths(context, placed.layer));
  return placed;
}

}  // namespace tensorguard::internal
