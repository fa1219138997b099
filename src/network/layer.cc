#include "network/layer.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/layer_norms.h"

namespace tensorguard::internal {
namespace {

Result<void> CheckFeedForward(uint64_t hidden, const FeedForward& block) {
  if (auto fits = CheckMap(block.up, hidden, 0); !fits) return fits;
  if (block.gate) {
    if (auto fits = CheckMap(*block.gate, hidden, block.up.outputs()); !fits) return fits;
  }
  return CheckMap(block.down, block.up.outputs(), hidden);
}

float Stated(const StackContext& context, std::string_view key, float otherwise) {
  return static_cast<float>(context.config.Real(std::array{key}).value_or(otherwise));
}

// An entry of a list of factors (Falcon-H1); 1 where there is none.
float ListedFactor(const StackContext& context, std::string_view key, size_t index) {
  const Json* list = context.config.Find(key);
  if (list == nullptr || !list->is_array() || index >= list->size()) return 1;
  return (*list)[index].is_number() ? (*list)[index].get<float>() : 1;
}

Result<void> ReadFeedForward(const StackContext& context, const std::optional<Norm>& inner_norm,
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
  const ArchitectureTraits& traits = *context.traits;
  FeedForwardSettings settings{.activation = ReadActivation(context, has_gate),
                               .clamp = traits.feed_forward_clamp};
  settings.gate_factor = ListedFactor(context, "mlp_multipliers", 0);
  settings.down_factor = ListedFactor(context, "mlp_multipliers", 1);
  if (traits.feed_forward_limit) {
    settings.limit = Stated(context, "swiglu_limit", *traits.feed_forward_limit);
  }
  if (settings.clamp) {
    settings.clamp = Stated(context, "swiglu_limit", *settings.clamp);
    settings.clamped_slope = Stated(context, "swiglu_alpha", settings.clamped_slope);
  }
  if (has_experts) {
    TG_ASSIGN(auto mixture, ReadMixture(parts, context.config, settings,
                                        {.kind = traits.routing,
                                         .normalised = traits.routing_normalised,
                                         .experts_per_token = traits.experts_per_token}));
    const uint64_t inner = mixture.latent_in ? mixture.latent_in->outputs() : context.hidden_size;
    for (const FeedForward& block : mixture.blocks) {
      if (auto fits = CheckFeedForward(inner, block); !fits) return fits;
    }
    layer.mixture = std::move(mixture);
    return {};
  }
  auto block = FindFeedForward(parts, settings);
  if (!block) return {};
  if (auto fits = CheckFeedForward(context.hidden_size, *block); !fits) return fits;
  block->inner_norm = inner_norm;
  block->learned = FindLearnedActivation(parts);
  layer.feed_forward = block;
  return {};
}

// A layer whose keys and values another may read.
struct LentKeys {
  const LayerParts* lender = nullptr;
  uint32_t index = 0;
};

Result<void> ReadMixer(const StackContext& context, PlacedNorms norms, const LentKeys& lent,
                       Layer& layer) {
  const RecurrentMixer* recurrent = FindRecurrentMixer(layer.parts);
  if (recurrent != nullptr) {
    if (recurrent->check != nullptr) {
      if (auto fits = recurrent->check(layer.parts, context.config); !fits) return fits;
    }
    layer.recurrent = recurrent;
    if (layer.parts.Find(Role::kQuery) == nullptr) return {};
  }
  if (lent.lender != nullptr && norms.attention.key_gain == nullptr) {
    TG_ASSIGN(const auto lenders, PlaceNorms(context, *lent.lender));
    norms.attention.key_gain = lenders.attention.key_gain;
    norms.attention.key_bias = lenders.attention.key_bias;
  }
  const uint32_t index = layer.description.index;
  AttentionSource source{.parts = layer.parts,
                         .norms = norms.attention,
                         .layer = index,
                         .lender = lent.lender,
                         .lender_layer = lent.index};
  if (layer.bottleneck) {
    source.stream_width = layer.bottleneck->input.map.inputs();
    source.query_input = layer.bottleneck->queries;
    source.value_input = layer.bottleneck->values;
  }
  TG_ASSIGN(auto attention, ReadAttentionLayer(context, source));
  layer.attention = std::move(attention);
  TG_ASSIGN(auto cross, ReadAttentionLayer(context, {.parts = layer.parts,
                                                     .norms = norms.cross_attention,
                                                     .layer = index,
                                                     .cross_attention = true}));
  layer.cross_attention = std::move(cross);
  return {};
}

// The sums within a layer of another width are not the stream.
void MoveNormsInside(Layer& layer) {
  Bottleneck& bottleneck = *layer.bottleneck;
  bottleneck.mixer_sum = std::exchange(layer.norms.mixer_sum, std::nullopt);
  bottleneck.feed_forward_sum = std::exchange(layer.norms.feed_forward_sum, bottleneck.sum);
}

std::optional<Norm> FindExtraInput(const StackContext& context, const LayerParts& parts) {
  const std::string name(kExtraInput);
  const Weight* gain = parts.Named(name + ".weight");
  if (gain == nullptr) return {};
  return MakeNorm(context, gain, parts.Named(name + ".bias"));
}

float Factor(const StackContext& context, std::string_view key) { return Stated(context, key, 1); }

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
  layer.mixer_factors.gains = layer.parts.Named("input_residual");
  layer.feed_forward_factors.gains = layer.parts.Named("post_attention_residual");
}

// RWKV halves the stream after every so many layers, to fit it into float16, and what later layers
// add as often. The final norm takes it out again, but for its epsilon.
void HalveLikeRwkv(const StackContext& context, Layer& layer) {
  const auto period = context.config.Number(std::array{std::string_view("rescale_every")});
  if (layer.recurrent_feed_forward == nullptr || !period) return;
  const uint64_t index = layer.description.index;
  const auto halvings = static_cast<int>(index / *period);
  layer.mixer_factors.branch = std::ldexp(layer.mixer_factors.branch, -halvings);
  layer.feed_forward_factors.branch = std::ldexp(layer.feed_forward_factors.branch, -halvings);
  if ((index + 1) % *period != 0) return;
  layer.feed_forward_factors.stream /= 2;
  layer.feed_forward_factors.branch /= 2;
}

void Describe(Layer& layer) {
  LayerDescription& description = layer.description;
  if (layer.recurrent != nullptr) {
    description.mixer = MixerKind::kRecurrent;
    description.mixer_name = layer.recurrent->name;
  }
  if (layer.attention) {
    description.mixer = MixerKind::kAttention;
    description.mixer_name = layer.attention->latent ? "latent attention" : "attention";
    if (layer.recurrent != nullptr) {
      description.mixer_name += " and " + std::string(layer.recurrent->name);
    }
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
  const std::string& name = layer.parts.NameOf(weight);
  if (role.role == Role::kNorm) return true;  // see PlacedNorms::unplaced
  if (layer.recurrent != nullptr && IsOfRecurrentMixer(layer.parts, name)) return true;
  if (layer.recurrent != nullptr || layer.recurrent_feed_forward != nullptr) {
    if (role.role == Role::kMixer) return true;
  }
  // A router beside what was read as one block belongs to experts that were not told apart.
  if (role.role == Role::kRouter) return layer.mixture.has_value();
  if (IsOfFeedForward(role.role)) return layer.description.has_feed_forward;
  if (IsOfAttention(role.role)) {
    return (role.cross_attention ? layer.cross_attention : layer.attention).has_value();
  }
  if (IsOfIndexer(name) && layer.recurrent == nullptr) {
    return layer.attention && layer.attention->most_keys > 0;
  }
  if (layer.side && layer.side->Holds(weight)) return true;
  if (&weight == layer.mixer_factors.gains || &weight == layer.feed_forward_factors.gains) {
    return true;
  }
  for (const auto* streams : {&layer.mixer_streams, &layer.feed_forward_streams}) {
    if (*streams && (*streams)->Holds(weight)) return true;
  }
  if (layer.mixture && layer.mixture->Holds(weight)) return true;
  if (layer.attention && layer.attention->Holds(weight)) return true;
  if (role.role == Role::kGain) {
    const bool of_activation = layer.feed_forward && layer.feed_forward->learned &&
                               layer.feed_forward->learned->Holds(weight);
    return of_activation || (layer.attention && layer.attention->sinks == &weight);
  }
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

Result<Layer> ReadLayer(const StackContext& stream, LayerParts parts, uint32_t index,
                        const LayerParts* lender, uint32_t lender_index) {
  Layer layer{.description = {.stack = stream.name, .index = index}, .parts = std::move(parts)};
  StackContext context = stream;  // as wide as the layer computes
  if (HasBottleneck(layer.parts)) {
    TG_ASSIGN(layer.bottleneck, ReadBottleneck(stream, layer.parts));
    layer.parts = WithoutBottleneck(layer.parts);
    context.hidden_size = layer.bottleneck->width();
  }
  TG_ASSIGN(auto placed, PlaceNorms(context, layer.parts));
  layer.norms = placed.layer;
  layer.embedding_norm = placed.embedding;
  TG_TRY(AllowIfGuess(context, ReadMixer(context, placed, {lender, lender_index}, layer),
                      "attention"));
  TG_TRY(AllowIfGuess(context, ReadFeedForward(context, placed.inner_feed_forward, layer),
                      "feed-forward"));
  layer.residual_after_norm = context.config.Flag(context.traits->residual_after_norm_flag)
                                  .value_or(context.traits->residual_after_norm);
  layer.side = FindSideInput(context, layer.parts);
  layer.extra_input = FindExtraInput(context, layer.parts);
  layer.mixer_streams = FindHyperConnection(context, layer.parts, "attn_hc");
  layer.feed_forward_streams = FindHyperConnection(context, layer.parts, "ffn_hc");
  ReadFactors(context, layer);
  HalveLikeRwkv(context, layer);
  Describe(layer);
  const bool both =
      layer.description.mixer != MixerKind::kNone && layer.description.has_feed_forward;
  layer.parallel = both && IsParallel(context);
  layer.unread = FindUnread(layer, placed.unplaced);
  if (layer.bottleneck) MoveNormsInside(layer);
  // The one norm of a layer that has only a feed-forward.
  if (layer.description.mixer == MixerKind::kNone && !layer.norms.feed_forward_input &&
      !layer.cross_attention) {
    std::swap(layer.norms.feed_forward_input, layer.norms.mixer_input);
  }
  return layer;
}

}  // namespace tensorguard::internal
