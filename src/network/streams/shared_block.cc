#include "network/streams/shared_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/attention/attention_rule.h"
#include "network/parts/matrix_columns.h"

namespace tensorguard::internal {
namespace {

// A layer that runs a shared block keeps its own mixer and norm in a module of this name.
constexpr std::string_view kMixerModule = ".mamba_decoder.";

bool IsOfMixer(const WeightSource& source, const Weight& weight) {
  return source.tensors()[weight.tensor_index].name.find(kMixerModule) != std::string::npos;
}

Error MissingPart(std::string_view what) {
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "a block that layers share lacks a part",
               .expected = std::string(what)};
}

LowRankMap FindLowRank(const LayerParts& parts, std::string_view module, size_t use) {
  return {parts.NamedMap(fmt::format("{}_adapter_list.{}.0", module, use)),
          parts.NamedMap(fmt::format("{}_adapter_list.{}.1", module, use))};
}

Result<void> CheckLowRank(const LowRankMap& map, uint64_t inputs, uint64_t outputs) {
  if (!map.down) return {};
  if (!map.up) return MissingPart("both matrices of what a layer adds to a shared map");
  TG_TRY(CheckMap(*map.down, inputs, map.up->inputs()));
  return CheckMap(*map.up, 0, outputs);
}

Result<void> ReadAttention(const StackContext& context, const LayerParts& parts, uint32_t layer,
                           SharedBlock& block) {
  const auto query = parts.FindMap(Role::kQuery);
  const auto key = parts.FindMap(Role::kKey);
  const auto value = parts.FindMap(Role::kValue);
  const auto output = parts.FindMap(Role::kOutputProjection);
  const auto heads = context.config.Heads();
  if (!query || !key || !value || !output) return MissingPart("attention");
  if (!heads) return MissingPart("the number of heads in config.json");
  block.attention = {.query = *query, .key = *key, .value = *value, .output = *output};
  for (const LinearMap* map : {&*query, &*key, &*value}) {
    TG_TRY(CheckMap(*map, 2 * context.hidden_size, 0));
  }
  const uint64_t size = query->outputs() / *heads;
  const bool fits = size > 0 && query->outputs() % *heads == 0 && key->outputs() > 0 &&
                    key->outputs() % size == 0 && *heads % (key->outputs() / size) == 0;
  if (!fits) {
    return BadPart(*key, "the keys cannot be shared among the heads",
                   fmt::format("{} rows", key->outputs()), fmt::format("{} heads", *heads));
  }
  TG_TRY(CheckMap(*value, 0, key->outputs()));
  TG_TRY(CheckMap(*output, query->outputs(), context.hidden_size));
  block.attention.shape = {
      .heads = *heads, .key_heads = key->outputs() / size, .head_size = size, .value_size = size};
  TG_ASSIGN(block.attention.rule, ReadAttentionRule(context, block.attention.shape, layer, false));
  // Its heads are twice as wide as those of the stream alone would be.
  block.attention.rule.scale = std::sqrt(2 / static_cast<float>(size));
  if (!context.config.Flag("use_mem_rope").value_or(false)) block.attention.rule.rotary.reset();
  return {};
}

Result<void> ReadNorms(const StackContext& context, const LayerParts& parts, SharedBlock& block) {
  const Weight* before = parts.Named("input_layernorm.weight");
  const Weight* between = parts.Named("pre_ff_layernorm.weight");
  if (before == nullptr || between == nullptr) return MissingPart("the norms of both halves");
  block.input_norm = MakeNorm(context, before, nullptr);
  block.feed_forward_norm = MakeNorm(context, between, nullptr);
  return {};
}

// `use`: how many layers have run a shared block before this one.
Result<SharedBlock> ReadBlock(const StackContext& context, const LayerParts& parts,
                              const LayerParts& own, uint32_t layer, size_t use) {
  SharedBlock block;
  TG_TRY(ReadAttention(context, parts, layer, block));
  TG_TRY(ReadNorms(context, parts, block));
  block.query = FindLowRank(parts, "linear_q", use);
  block.key = FindLowRank(parts, "linear_k", use);
  block.value = FindLowRank(parts, "linear_v", use);
  block.gate_up = FindLowRank(parts, "gate_up_proj", use);
  const auto feed_forward = FindFeedForward(parts, {.activation = ReadActivation(context, true)});
  if (!feed_forward || !feed_forward->gate) return MissingPart("a gated feed-forward");
  block.feed_forward = *feed_forward;
  const uint64_t inner = feed_forward->up.outputs();
  TG_TRY(CheckMap(feed_forward->up, context.hidden_size, 0));
  TG_TRY(CheckMap(*feed_forward->gate, context.hidden_size, inner));
  TG_TRY(CheckMap(feed_forward->down, inner, context.hidden_size));
  const uint64_t both = 2 * context.hidden_size;
  TG_TRY(CheckLowRank(block.query, both, block.attention.query.outputs()));
  TG_TRY(CheckLowRank(block.key, both, block.attention.key.outputs()));
  TG_TRY(CheckLowRank(block.value, both, block.attention.value.outputs()));
  TG_TRY(CheckLowRank(block.gate_up, context.hidden_size, 2 * inner));
  const auto output = own.NamedMap("linear");
  if (!output) return MissingPart("the layer's own map of what the block gives");
  TG_TRY(CheckMap(*output, context.hidden_size, context.hidden_size));
  block.output = *output;
  return block;
}

Result<FloatMatrix> ApplyBoth(const LinearMap& map, const LowRankMap& added,
                              const FloatMatrix& rows) {
  auto sum = map.Apply(rows);
  if (!sum || !added.down) return sum;
  TG_ASSIGN(const auto narrow, added.down->Apply(rows));
  TG_ASSIGN(const auto wide, added.up->Apply(narrow));
  Add(wide, *sum);
  return sum;
}

Result<FloatMatrix> RunGated(const SharedBlock& block, const FloatMatrix& rows) {
  const FeedForward& feed_forward = block.feed_forward;
  TG_ASSIGN(auto gate, feed_forward.gate->Apply(rows));
  TG_ASSIGN(auto up, feed_forward.up.Apply(rows));
  if (block.gate_up.down) {
    TG_ASSIGN(const auto narrow, block.gate_up.down->Apply(rows));
    TG_ASSIGN(const auto wide, block.gate_up.up->Apply(narrow));
    Add(Columns(wide, 0, gate.columns()), gate);
    Add(Columns(wide, gate.columns(), up.columns()), up);
  }
  Activate(feed_forward.settings.activation, gate.values());
  for (size_t i = 0; i < up.values().size(); ++i) up.values()[i] *= gate.values()[i];
  return feed_forward.down.Apply(up);
}

}  // namespace

Result<FloatMatrix> RunSharedBlock(const SharedBlock& block, const AttentionRule& rule,
                                   const FloatMatrix& stream, const FloatMatrix& embedded) {
  TG_ASSIGN(const auto rows, ApplyIfAny(block.input_norm, SideBySide(stream, embedded)));
  AttentionRows projected;
  TG_ASSIGN(projected.queries, ApplyBoth(block.attention.query, block.query, rows));
  TG_ASSIGN(projected.keys, ApplyBoth(block.attention.key, block.key, rows));
  TG_ASSIGN(projected.values, ApplyBoth(block.attention.value, block.value, rows));
  TG_ASSIGN(auto attended, block.attention.output.Apply(
                               Attend(std::move(projected), block.attention.shape, rule)));
  TG_ASSIGN(const auto input, ApplyIfAny(block.feed_forward_norm, std::move(attended)));
  TG_ASSIGN(const auto fed, RunGated(block, input));
  return block.output.Apply(fed);
}

SharedBlocks::SharedBlocks(const WeightSource& source,
                           std::map<uint32_t, std::vector<const Weight*>>& layers) {
  for (auto& [index, weights] : layers) {
    const auto of_mixer = [&](const Weight* weight) { return IsOfMixer(source, *weight); };
    if (std::ranges::none_of(weights, of_mixer)) continue;
    const auto rest = std::ranges::stable_partition(weights, of_mixer);
    beside_.emplace(index, LayerParts(source, {rest.begin(), rest.end()}));
    weights.erase(rest.begin(), rest.end());
  }
}

Result<std::optional<SharedBlock>> SharedBlocks::Of(const StackContext& context,
                                                    uint32_t layer) const {
  const auto own = beside_.find(layer);
  if (own == beside_.end()) return std::optional<SharedBlock>();
  std::vector<const LayerParts*> stored;
  for (const auto& [index, parts] : beside_) {
    if (parts.Find(Role::kQuery) != nullptr) stored.push_back(&parts);
  }
  if (stored.empty()) return MissingPart("the block itself");
  const auto use = static_cast<size_t>(std::distance(beside_.begin(), own));
  const bool holds = own->second.Find(Role::kQuery) != nullptr;
  const LayerParts& block = holds ? own->second : *stored[use % stored.size()];
  TG_ASSIGN(auto read, ReadBlock(context, block, own->second, layer, use));
  return std::optional(std::move(read));
}

}  // namespace tensorguard::internal
