#include "network/layer.h"

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "network/norm_slots.h"

namespace tensorguard {
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
    if (weight->role.role != Role::kNorm) continue;
    const std::string_view module = ModuleOf(parts.NameOf(*weight));
    // Tensors are sorted by name: gain and bias of a module follow each other.
    if (norms.empty() || norms.back().module != module) norms.push_back({module});
    (weight->role.is_bias ? norms.back().bias : norms.back().gain) = weight;
  }
  return norms;
}

// Norms as wide as the residual stream, by their place, and those within attention.
struct PlacedNorms {
  std::optional<std::string> unplaced;  // the name of one without a place
  LayerNorms layer;
  AttentionNorms attention;
  std::optional<Norm> inner_feed_forward;
  std::optional<Norm> embedding;
};

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
  const bool of_cross = slot == NormSlot::kCrossInput || slot == NormSlot::kCrossSum;
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

PlacedNorms PlaceNorms(const StackContext& context, const LayerParts& parts) {
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
    PlaceInAttention(slot, norms[i], placed.attention);
    if (slot == NormSlot::kOther) placed.unplaced = std::string(norms[i].module);
    std::optional<Norm>* place = PlaceFor(placed, slot);
    if (place != nullptr && !*place) {
      *place = MakeNorm(context, norms[i].gain, norms[i].bias);
    }
  }
  if (context.traits->unweighted_norms) {
    placed.layer.mixer_input = MakeNorm(context, nullptr, nullptr);
    placed.layer.feed_forward_input = MakeNorm(context, nullptr, nullptr);
  }
  return placed;
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
  for (const auto* norm : {&norms.mixer_input, &norms.mixer_output, &norms.mixer_sum,
                           &norms.cross_input, &norms.cross_sum, &norms.feed_forward_input,
                           &norms.feed_forward_output, &norms.feed_forward_sum}) {
    if (auto fits = CheckWidth(context, *norm); !fits) return fits;
  }
  return {};
}

Result<void> CheckFeedForward(const StackContext& context, const FeedForward& block) {
  const uint64_t hidden = context.hidden_size;
  if (auto fits = CheckMap(block.up, hidden, 0); !fits) return fits;
  if (block.gate) {
    if (auto fits = CheckMap(*block.gate, hidden, block.up.outputs()); !fits) return fits;
  }
  return CheckMap(block.down, block.up.outputs(), hidden);
}

Result<void> ReadFeedForward(const StackContext& context, std::optional<Norm> inner_norm,
                             Layer& layer) {
  layer.recurrent_feed_forward = FindRecurrentFeedForward(layer.parts);
  if (layer.recurrent_feed_forward != nullptr) return {};
  const LayerParts& parts = layer.parts;
  bool has_gate = false;
  bool has_experts = false;
  for (const Weight* weight : parts.weights()) {
    has_gate |= weight->role.role == Role::kGate;
    has_experts |= weight->role.expert.has_value();
  }
  const FeedForwardSettings settings{.activation = ReadActivation(context, has_gate),
                                     .clamp = context.traits->feed_forward_clamp};
  if (has_experts) {
    auto mixture = ReadMixture(parts, context.config, settings, context.traits->routing);
    if (!mixture) return std::move(mixture).error();
    for (const FeedForward& block : mixture->blocks) {
      if (auto fits = CheckFeedForward(context, block); !fits) return fits;
    }
    layer.mixture = *std::move(mixture);
    return {};
  }
  auto block = FindFeedForward(parts, settings);
  if (!block) return {};
  if (auto fits = CheckFeedForward(context, *block); !fits) return fits;
  block->inner_norm = std::move(inner_norm);
  layer.feed_forward = *std::move(block);
  return {};
}

Result<void> ReadMixer(const StackContext& context, const AttentionNorms& norms, Layer& layer) {
  const RecurrentMixer* recurrent = FindRecurrentMixer(layer.parts);
  if (recurrent != nullptr) {
    if (recurrent->check != nullptr) {
      if (auto fits = recurrent->check(layer.parts, context.config); !fits) return fits;
    }
    layer.recurrent = recurrent;
    return {};
  }
  const uint32_t index = layer.description.index;
  auto attention = ReadAttentionLayer(context, layer.parts, norms, index, false);
  if (!attention) return std::move(attention).error();
  layer.attention = *std::move(attention);
  auto cross = ReadAttentionLayer(context, layer.parts, {}, index, true);
  if (!cross) return std::move(cross).error();
  layer.cross_attention = *std::move(cross);
  return {};
}

float Factor(const StackContext& context, std::string_view key) {
  return static_cast<float>(context.config.Real(std::array{key}).value_or(1));
}

// Granite multiplies what each half adds, MiniCPM by a factor that falls with the depth, MiniMax
// both terms, by the kind of half.
void ReadFactors(const StackContext& context, Layer& layer) {
  float branch = Factor(context, "residual_multiplier");
  if (context.config.Find("scale_depth") != nullptr && context.layer_count > 0) {
    branch *= Factor(context, "scale_depth") /
              std::sqrt(static_cast<float>(context.config.Layers().value_or(context.layer_count)));
  }
  const bool recurrent = layer.recurrent != nullptr;
  const auto mixer = [&](std::string_view full, std::string_view linear) {
    return Factor(context, recurrent ? linear : full);
  };
  layer.mixer_factors = {
      .stream = mixer("full_attn_alpha_factor", "linear_attn_alpha_factor"),
      .branch = branch * mixer("full_attn_beta_factor", "linear_attn_beta_factor")};
  layer.feed_forward_factors = {.stream = Factor(context, "mlp_alpha_factor"),
                                .branch = branch * Factor(context, "mlp_beta_factor")};
}

void Describe(Layer& layer) {
  LayerDescription& description = layer.description;
  if (layer.recurrent != nullptr) {
    description.mixer = MixerKind::kRecurrent;
    description.mixer_name = layer.recurrent->name;
  } else if (layer.attention) {
    description.mixer = MixerKind::kAttention;
    description.mixer_name = layer.attention->latent ? "latent attention" : "attention";
  }
  description.has_feed_forward =
      layer.feed_forward || layer.mixture || layer.recurrent_feed_forward != nullptr;
  if (layer.mixture) {
    description.experts = layer.mixture->experts;
    description.has_shared_expert = layer.mixture->has_shared_expert;
  }
}

bool IsOfAttention(Role role) {
  return role == Role::kQueryKeyValue || role == Role::kKeyValue ||
         (role >= Role::kQuery && role <= Role::kKeyValueUp);
}

bool IsOfFeedForward(Role role) {
  return role == Role::kGate || role == Role::kUp || role == Role::kDown || role == Role::kGateUp ||
         role == Role::kRouter;
}

// Whether what the weight does is part of what was read.
bool IsRead(const Layer& layer, const Weight& weight) {
  const TensorRole& role = weight.role;
  if (role.role == Role::kNorm) return true;  // see PlacedNorms::unplaced
  if (layer.recurrent != nullptr || layer.recurrent_feed_forward != nullptr) {
    if (role.role == Role::kMixer) return true;
  }
  // A router beside what was read as one block belongs to experts that were not told apart.
  if (role.role == Role::kRouter) return layer.mixture.has_value();
  if (IsOfFeedForward(role.role)) return layer.description.has_feed_forward;
  if (IsOfAttention(role.role)) {
    return (role.cross_attention ? layer.cross_attention : layer.attention).has_value();
  }
  if (role.role == Role::kGain) return layer.attention && layer.attention->sinks == &weight;
  return role.role == Role::kPositionEmbedding || role.role == Role::kBuffer ||
         role.role == Role::kScale;
}

std::optional<std::string> FindUnread(const Layer& layer,
                                      const std::optional<std::string>& unplaced) {
  const bool norms_of_mixer =
      layer.recurrent != nullptr || (layer.attention && layer.attention->latent);
  if (unplaced && !norms_of_mixer) return unplaced;
  for (const Weight* weight : layer.parts.weights()) {
    if (!IsRead(layer, *weight)) return layer.parts.NameOf(*weight);
  }
  return {};
}

bool IsParallel(const StackContext& context) {
  const ArchitectureTraits& traits = *context.traits;
  return context.config.Flag(traits.parallel_flag).value_or(traits.parallel);
}

// Where a guess does not come out, the part is left out and said to be. Of a known architecture
// with its config it is the file's fault.
Result<void> AllowIfGuess(const StackContext& context, Result<void> read, std::string_view part) {
  if (read || !context.is_guess || read.error().kind != ErrorKind::kBadFile) return read;
  context.assumed->insert(std::string(part) +
                          " left out of a layer: its shapes are not understood");
  return {};
}

}  // namespace

Result<Layer> ReadLayer(const StackContext& context, LayerParts parts, uint32_t index) {
  Layer layer{.description = {.stack = context.name, .index = index}, .parts = std::move(parts)};
  PlacedNorms placed = PlaceNorms(context, layer.parts);
  if (auto fits = CheckWidths(context, placed.layer); !fits) return std::move(fits).error();
  layer.norms = std::move(placed.layer);
  layer.embedding_norm = std::move(placed.embedding);
  auto mixer = AllowIfGuess(context, ReadMixer(context, placed.attention, layer), "attention");
  if (!mixer) return std::move(mixer).error();
  auto feed_forward =
      AllowIfGuess(context, ReadFeedForward(context, std::move(placed.inner_feed_forward), layer),
                   "feed-forward");
  if (!feed_forward) return std::move(feed_forward).error();
  layer.residual_after_norm = context.config.Flag(context.traits->residual_after_norm_flag)
                                  .value_or(context.traits->residual_after_norm);
  ReadFactors(context, layer);
  Describe(layer);
  const bool both =
      layer.description.mixer != MixerKind::kNone && layer.description.has_feed_forward;
  layer.parallel = both && IsParallel(context);
  layer.unread = FindUnread(layer, placed.unplaced);
  // The one norm of a layer that has only a feed-forward.
  if (layer.description.mixer == MixerKind::kNone && !layer.norms.feed_forward_input &&
      !layer.cross_attention) {
    std::swap(layer.norms.feed_forward_input, layer.norms.mixer_input);
  }
  return layer;
}

Result<FloatMatrix> ApplyIfAny(const std::optional<Norm>& norm, FloatMatrix rows) {
  if (!norm) return rows;
  return norm->Apply(std::move(rows));
}

}  // namespace tensorguard
