#include "network/stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/parts/norm_slots.h"

namespace tensorguard::internal {
namespace {

std::optional<Norm> FindFinalNorm(const StackContext& context, const LayerParts& outer) {
  if (context.traits->unweighted_norms) return MakeNorm(context, nullptr, nullptr);
  const Weight* gain = nullptr;
  const Weight* bias = nullptr;
  for (const Weight* weight : outer.weights()) {
    if (weight->role.role != Role::kNorm || weight->role.stack != context.name) continue;
    if (OuterNormSlot(outer.NameOf(*weight)) != NormSlot::kFinal) continue;
    const uint64_t width = context.hidden_size * (context.traits->reversible ? 2 : 1);
    if (weight->rows * weight->columns != width) continue;
    (weight->role.is_bias ? bias : gain) = weight;
  }
  if (gain == nullptr && bias == nullptr) return {};
  return MakeNorm(context, gain, bias);
}

// The last layers of Gemma 3n and 4 read the keys and values of the last layer of their kind that
// has its own.
std::optional<uint32_t> FindLender(const StackContext& context, uint32_t layer) {
  static constexpr std::array<std::string_view, 1> kShared = {"num_kv_shared_layers"};
  const auto shared = context.config.Number(kShared);
  const uint64_t layers = context.config.Layers().value_or(context.layer_count);
  const Json* kinds = context.config.Find("layer_types");
  if (!shared || *shared >= layers || layer < layers - *shared) return {};
  if (kinds == nullptr || !kinds->is_array() || layer >= kinds->size()) return {};
  for (uint64_t before = std::min<uint64_t>(layers - *shared, layer); before-- > 0;) {
    if ((*kinds)[before] == (*kinds)[layer]) return static_cast<uint32_t>(before);
  }
  return {};
}

// ALBERT runs its stored layers in groups until config.json's count is reached.
Result<std::vector<size_t>> RunningOrder(const StackContext& context, size_t stored) {
  constexpr uint64_t kMostLayers = 4096;
  const uint64_t runs =
      context.traits->layers_repeat ? context.config.Layers().value_or(stored) : stored;
  if (runs > kMostLayers && runs != stored) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "config.json counts more layers than any model has",
                 .found = fmt::format("{}", runs),
                 .expected = fmt::format("{} at most", kMostLayers)};
  }
  std::vector<size_t> order;
  for (uint64_t i = 0; i < runs; ++i) order.push_back(i * stored / runs);
  return order;
}

bool IsSideInput(const SideInputs& inputs, const Weight& weight) {
  const bool of_projection = inputs.projection && inputs.projection->weight == &weight;
  return inputs.table == &weight || of_projection || (inputs.norm && inputs.norm->gain == &weight);
}

// Single numbers are left to those who look for them: counters, temperatures.
std::optional<std::string> FindUnreadOutside(const Stack& stack, const LayerParts& outer) {
  for (const Weight* weight : outer.weights()) {
    const bool own = weight->role.stack == stack.context.name || weight->role.stack.empty();
    if (weight->role.role != Role::kOther || !own || weight->rows * weight->columns <= 1) continue;
    if (stack.streams && stack.streams->Holds(*weight)) continue;
    if (stack.side_inputs && IsSideInput(*stack.side_inputs, *weight)) continue;
    if (stack.extra && stack.extra->Holds(*weight)) continue;
    if (stack.cycles && stack.cycles->start == weight) continue;
    return outer.NameOf(*weight);
  }
  return {};
}

}  // namespace

bool Stack::Lends(uint32_t layer) const {
  return std::ranges::any_of(layers, [&](const Layer& other) {
    return other.attention && other.attention->lender == layer;
  });
}

const std::optional<Norm>& Stack::ClosingNorm() const {
  const bool none = final_norm.has_value() || layers.empty();
  return none ? final_norm : layers.back().norms.feed_forward_sum;
}

Result<Stack> ReadStack(StackContext context, const LayerParts& outer,
                        const WeightsByLayer& stored) {
  WeightsByLayer layers = stored;
  const SharedBlocks shared(*context.source, layers);
  std::vector<const Weight*> in_layers;
  for (const auto& [index, weights] : layers) {
    in_layers.insert(in_layers.end(), weights.begin(), weights.end());
  }
  TG_ASSIGN(auto embedding, ReadEmbedding(context, outer, in_layers));
  Stack stack{.context = std::move(context), .embedding = std::move(embedding)};
  stack.context.hidden_size = stack.embedding.hidden_size();
  stack.context.layer_count = layers.size();
  for (const auto& [index, weights] : layers) {
    const auto lender = FindLender(stack.context, index);
    const auto lent = lender ? layers.find(*lender) : layers.end();
    const LayerParts lent_parts(*stack.context.source,
                                lent == layers.end() ? std::vector<const Weight*>() : lent->second);
    TG_ASSIGN(auto layer,
              ReadLayer(stack.context, LayerParts(*stack.context.source, weights), index,
                        lent == layers.end() ? nullptr : &lent_parts, lender.value_or(0)));
    TG_ASSIGN(layer.shared, shared.Of(stack.context, index));
    stack.layers.push_back(std::move(layer));
  }
  stack.side_inputs = FindSideInputs(stack.context, outer);
  stack.streams = FindHyperHead(stack.context, outer);
  TG_ASSIGN(stack.extra, FindExtraRows(stack.context, outer, stack.embedding));
  stack.cycles = FindCycles(stack.context, outer);
  stack.unread = FindUnreadOutside(stack, outer);
  if (!stack.layers.empty() && !stack.embedding.norm) {
    stack.embedding.norm = stack.layers.front().embedding_norm;
  }
  // A stack whose layers end in a norm has no other.
  const bool normed = !stack.layers.empty() && stack.layers.back().norms.feed_forward_sum;
  if (!normed) stack.final_norm = FindFinalNorm(stack.context, outer);
  // Layers with norms in front need one at the end: LFM2 calls it that of the embedding.
  const bool needs_one = !normed && !stack.layers.empty() &&
                         stack.layers.back().norms.mixer_input && !stack.final_norm;
  if (needs_one && !stack.embedding.projection) std::swap(stack.final_norm, stack.embedding.norm);
  stack.relative_bias = outer.Named("relative_attention_bias.weight");
  if (stack.relative_bias == nullptr) {
    stack.relative_bias = outer.Named("relative_attention_bias");
  }
  TG_ASSIGN(auto order, RunningOrder(stack.context, stack.layers.size()));
  stack.order = std::move(order);
  return stack;
}

Result<FloatMatrix> MixerInputOf(const Stack& stack, size_t layer, FloatMatrix rows) {
  const LayerNorms& norms = stack.layers[layer].norms;
  if (norms.mixer_input) return norms.mixer_input->Apply(std::move(rows));
  if (layer > 0 && stack.layers[layer - 1].norms.feed_forward_sum) {
    return stack.layers[layer - 1].norms.feed_forward_sum->Apply(std::move(rows));
  }
  if (layer == 0 && stack.embedding.norm) return rows;  // the norm that wrote them
  Normalise(NormKind::kRms, 0, 0, rows);
  return rows;
}

Result<FloatMatrix> FeedForwardInputOf(const Stack& stack, size_t layer, FloatMatrix rows) {
  const Layer& own = stack.layers[layer];
  const LayerNorms& norms = own.norms;
  if (norms.feed_forward_input) return norms.feed_forward_input->Apply(std::move(rows));
  if (own.parallel) return MixerInputOf(stack, layer, std::move(rows));
  if (norms.cross_sum) return norms.cross_sum->Apply(std::move(rows));
  if (norms.mixer_sum) return norms.mixer_sum->Apply(std::move(rows));
  Normalise(NormKind::kRms, 0, 0, rows);
  return rows;
}

}  // namespace tensorguard::internal
