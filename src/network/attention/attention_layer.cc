#include "network/attention/attention_layer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/attention/attention_rule.h"
#include "network/attention/rotary_settings.h"
#include "network/parts/activation.h"

namespace tensorguard::internal {
namespace {

// The number of elements of a norm's gain, of one head where it is stored head by head.
uint64_t GroupOf(const Weight& gain) { return gain.columns > 1 ? gain.columns : gain.rows; }

// Entry `layer` of a list of whole numbers in config.json.
std::optional<uint64_t> ListedNumber(const ConfigView& config, std::string_view key,
                                     uint32_t layer) {
  const Json* list = config.Find(key);
  if (list == nullptr || !list->is_array() || layer >= list->size()) return {};
  const Json& entry = (*list)[layer];
  constexpr uint64_t kMost = 65'536;
  if (!entry.is_number_unsigned() || entry.get<uint64_t>() > kMost) return {};
  return entry.get<uint64_t>() > 0 ? std::optional(entry.get<uint64_t>()) : std::nullopt;
}

std::optional<uint64_t> StatedHeads(const StackContext& context, uint32_t layer) {
  if (const auto own = ListedNumber(context.config, "num_attention_heads_per_layer", layer)) {
    return own;
  }
  static constexpr std::array<std::string_view, 2> kOfEncoder = {"encoder_attention_heads",
                                                                 "num_encoder_attention_heads"};
  static constexpr std::array<std::string_view, 1> kOther = {"attention_heads"};
  if (context.is_encoder) {
    if (const auto own = context.config.Number(kOfEncoder)) return own;
  }
  const auto heads = context.config.Heads();
  if (!heads) return context.config.Number(kOther);
  // ConvBERT: the others are convolutions.
  static constexpr std::array<std::string_view, 1> kRatio = {"head_ratio"};
  return std::max<uint64_t>(*heads / context.config.Number(kRatio).value_or(1), 1);
}

// Gemma 4 has larger heads where a layer sees all.
std::optional<uint64_t> StatedHeadSize(const StackContext& context, uint32_t layer) {
  static constexpr std::array<std::string_view, 3> kKeys = {"head_dim", "d_kv", "kv_channels"};
  static constexpr std::array<std::string_view, 1> kOfFull = {"global_head_dim"};
  const Json* kinds = context.config.Find("layer_types");
  const bool listed = kinds != nullptr && kinds->is_array() && layer < kinds->size();
  if (listed && (*kinds)[layer] == "full_attention") {
    if (const auto own = context.config.Number(kOfFull)) return own;
  }
  return context.config.Number(kKeys);
}

// The size of a head: stated, or that of a norm on heads, or the queries' rows by the stated heads.
// Empty where nothing tells.
Result<std::optional<uint64_t>> FindHeadSize(const StackContext& context, const LinearMap& query,
                                             const AttentionNorms& norms, uint32_t layer) {
  const auto heads = StatedHeads(context, layer);
  const auto stated = StatedHeadSize(context, layer);
  if (heads && query.outputs() % *heads != 0) {
    return BadPart(query, "the queries do not divide into the stated heads",
                   fmt::format("{} rows", query.outputs()), fmt::format("{} heads", *heads));
  }
  if (heads && stated && query.outputs() / *heads != *stated) {
    return BadPart(query, "the queries are not as wide as the stated heads",
                   fmt::format("{} rows", query.outputs()),
                   fmt::format("{} heads of {}", *heads, *stated));
  }
  if (heads) return std::optional(query.outputs() / *heads);
  if (stated) return std::optional(*stated);
  context.assumed->insert("head count");
  const bool on_heads = norms.query_gain != nullptr && GroupOf(*norms.query_gain) > 0 &&
                        GroupOf(*norms.query_gain) < query.outputs();
  if (on_heads) return std::optional(GroupOf(*norms.query_gain));
  return std::optional<uint64_t>();
}

// Heads by the size of one. Errors where the rows of the four matrices do not agree on them.
// `has_convolutions`: as many columns again stand beside the heads'.
Result<AttentionShape> ShapeOf(const AttentionLayer& layer, uint64_t head_size,
                               bool has_convolutions) {
  const uint64_t queries = layer.query.outputs();
  const uint64_t keys = layer.key.outputs();
  const uint64_t values = layer.value.outputs();
  if (head_size == 0 || queries % head_size != 0) {
    return BadPart(layer.query, "the queries do not divide into heads",
                   fmt::format("{} rows", queries), fmt::format("heads of {}", head_size));
  }
  if (keys == 0 || keys % head_size != 0 || queries % keys != 0) {
    return BadPart(layer.key, "the keys cannot be shared among the heads",
                   fmt::format("{} rows", keys),
                   fmt::format("a divisor of {} in heads of {}", queries, head_size));
  }
  AttentionShape shape{
      .heads = queries / head_size, .key_heads = keys / head_size, .head_size = head_size};
  if (values % shape.key_heads != 0) {
    return BadPart(layer.value, "the values do not divide into the heads of the keys",
                   fmt::format("{} rows", values), fmt::format("{} heads", shape.key_heads));
  }
  shape.value_size = values / shape.key_heads;
  const uint64_t mixed = shape.heads * shape.value_size;
  TG_TRY(CheckMap(layer.output, has_convolutions ? 2 * mixed : mixed, 0));
  return shape;
}

// One head for all, where the rows leave nothing to share.
std::optional<AttentionShape> PlainShape(const AttentionLayer& layer) {
  const uint64_t width = layer.query.outputs();
  if (width == 0 || layer.key.outputs() != width) return {};
  if (layer.value.outputs() == 0 || layer.output.inputs() != layer.value.outputs()) return {};
  return AttentionShape{.head_size = width, .value_size = layer.value.outputs()};
}

std::optional<AttentionLayer> FindMaps(const StackContext& context, const AttentionSource& source) {
  const LayerParts& parts = source.parts;
  const PartFilter filter{.cross_attention = source.cross_attention};
  const auto query = parts.FindMap(Role::kQuery, filter);
  auto key = parts.FindMap(Role::kKey, filter);
  auto value = parts.FindMap(Role::kValue, filter);
  const auto output = parts.FindMap(Role::kOutputProjection, filter);
  const bool borrows = !key && !value && source.lender != nullptr;
  if (borrows) {
    key = source.lender->FindMap(Role::kKey, filter);
    value = source.lender->FindMap(Role::kValue, filter);
  }
  const bool compares_queries =
      query && !key && EndsInWords(parts.NameOf(*query->weight), "query_key.weight");
  if (compares_queries) key = query;
  if (!value && context.config.Flag("attention_k_eq_v").value_or(false)) value = key;
  if (!query || !key || !value || !output) return {};
  AttentionLayer layer{.query = *query, .key = *key, .value = *value, .output = *output};
  if (borrows) layer.lender = source.lender_layer;
  layer.compares_queries = compares_queries;
  layer.gate = parts.FindMap(Role::kAttentionGate, filter);
  if (source.cross_attention) return layer;
  for (const Weight* weight : parts.weights()) {
    if (weight->role.role == Role::kGain && EndsInWords(parts.NameOf(*weight), "sinks")) {
      layer.sinks = weight;
    }
  }
  return layer;
}

Result<void> CheckWidths(const StackContext& context, const AttentionLayer& layer,
                         const AttentionSource& source) {
  const uint64_t hidden = context.hidden_size;
  const uint64_t stream = source.stream_width > 0 ? source.stream_width : hidden;
  const auto width = [&](const std::optional<NormedMap>& input) {
    return input ? input->map.outputs() : stream;
  };
  const bool cross = source.cross_attention;  // keys and values are as wide as the encoder
  for (const auto& [map, inputs] : {std::pair(layer.query, width(layer.query_input)),
                                    std::pair(layer.key, cross ? 0 : width(layer.query_input)),
                                    std::pair(layer.value, cross ? 0 : width(layer.value_input))}) {
    if (auto fits = CheckMap(map, inputs, 0); !fits) return fits;
  }
  return CheckMap(layer.output, 0, hidden);
}

// A gain is one head's, or one for all columns; queries and keys are normalised the same way.
Result<void> CheckHeadNorms(const StackContext& context, const AttentionLayer& layer,
                            const AttentionNorms& norms) {
  const uint64_t size = layer.shape.head_size;
  const auto spans_all = [&](const Weight& gain, const LinearMap& map) {
    return gain.rows * gain.columns == map.outputs() && map.outputs() != size;
  };
  for (const auto& [gain, map] :
       {std::pair(norms.query_gain, &layer.query), std::pair(norms.key_gain, &layer.key)}) {
    if (gain == nullptr) continue;
    const bool of_one_head = gain->rows * gain->columns == size;
    if (of_one_head || spans_all(*gain, *map)) continue;
    return BadPart({context.source, gain}, "the norm does not fit what it normalises",
                   fmt::format("{} numbers", gain->rows * gain->columns),
                   fmt::format("{} for a head, or {} for all", size, map->outputs()));
  }
  const bool both = norms.query_gain != nullptr && norms.key_gain != nullptr;
  const bool one_key_head = layer.key.outputs() == size;
  if (!both || one_key_head || layer.query.outputs() == size ||
      spans_all(*norms.query_gain, layer.query) == spans_all(*norms.key_gain, layer.key)) {
    return {};
  }
  return BadPart({context.source, norms.key_gain},
                 "queries are normalised head by head and keys as a whole, or the other way round",
                 fmt::format("{} numbers", norms.key_gain->rows * norms.key_gain->columns),
                 fmt::format("as the queries' norm of {}", norms.query_gain->rows));
}

// A norm on queries or keys: over as many columns as its gain has, which may be one head's or all.
std::optional<Norm> HeadNorm(const StackContext& context, const Weight* gain, const Weight* bias,
                             uint64_t head_size) {
  if (gain != nullptr) {
    Norm norm = MakeNorm(context, gain, bias, GroupOf(*gain));
    if (context.traits->query_key_norm) norm.kind = *context.traits->query_key_norm;
    return norm;
  }
  const ArchitectureTraits& traits = *context.traits;
  const bool wanted = traits.unweighted_query_key_flag.empty() ||
                      context.config.Flag(traits.unweighted_query_key_flag).value_or(false);
  if (!traits.unweighted_query_key_norm || !wanted) return {};
  return MakeNorm(context, nullptr, nullptr, head_size);
}

void ReadNorms(const StackContext& context, const AttentionNorms& norms, AttentionLayer& layer) {
  const uint64_t size = layer.shape.head_size;
  layer.query_norm = HeadNorm(context, norms.query_gain, norms.query_bias, size);
  layer.key_norm = HeadNorm(context, norms.key_gain, norms.key_bias, size);
  if (context.traits->unweighted_value_norm) {
    layer.value_norm = MakeNorm(context, nullptr, nullptr, layer.shape.value_size);
  }
  if (layer.compares_queries) {
    layer.key_norm =
        Norm{.source = context.source, .kind = NormKind::kRms, .epsilon = 1e-6, .group = size};
  }
  layer.norms_after_rotation = context.traits->query_key_norm_after_rotation;
  if (norms.inner_gain != nullptr) {
    layer.inner_norm = MakeNorm(context, norms.inner_gain, norms.inner_bias);
  }
}

float Factor(const StackContext& context, std::string_view key) {
  return static_cast<float>(context.config.Real(std::array{key}).value_or(1));
}

void ReadFactors(const StackContext& context, AttentionLayer& layer) {
  layer.input_factor = Factor(context, "attention_in_multiplier");
  layer.key_factor = Factor(context, "key_multiplier");
  layer.output_factor = Factor(context, "attention_out_multiplier");
}

// Where an indexer chooses keys, single ones or blocks of them, beyond how many it has to.
uint64_t ReadMostKeys(const StackContext& context, const LayerParts& parts) {
  static constexpr std::array<std::string_view, 1> kKeys = {"index_topk"};
  static constexpr std::array<std::string_view, 1> kBlocks = {"index_topk_blocks"};
  static constexpr std::array<std::string_view, 1> kBlockSize = {"index_block_size"};
  const bool chooses = std::ranges::any_of(
      parts.weights(), [&](const Weight* weight) { return IsOfIndexer(parts.NameOf(*weight)); });
  if (!chooses) return 0;
  if (const auto keys = context.config.Number(kKeys)) return *keys;
  return context.config.Number(kBlocks).value_or(1) * context.config.Number(kBlockSize).value_or(1);
}

void ReadRule(const StackContext& context, uint32_t index, bool cross_attention,
              AttentionLayer& layer) {
  auto rule = ReadAttentionRule(context, layer.shape, index, cross_attention);
  if (!rule) {
    layer.rule_error = std::move(rule).error();
    return;
  }
  layer.rule = *std::move(rule);
  // Without rotation there is no norm on heads either (Llama 4).
  const bool of_rotation = !context.traits->unweighted_query_key_flag.empty();
  if (context.traits->unweighted_query_key_norm && of_rotation && !layer.rule.rotary) {
    layer.query_norm.reset();
    layer.key_norm.reset();
  }
}

Result<std::optional<AttentionLayer>> ReadLatentLayer(const StackContext& context,
                                                      const LayerParts& parts) {
  const auto output = parts.FindMap(Role::kOutputProjection);
  if (!output) return std::optional<AttentionLayer>();
  TG_ASSIGN(auto latent, ReadLatentAttention(parts, context.config));
  const AttentionShape& shape = latent.shape;
  TG_TRY(CheckMap(*output, shape.heads * shape.value_size, context.hidden_size));
  AttentionLayer layer{.latent = latent, .output = *output, .shape = shape};
  layer.most_keys = ReadMostKeys(context, parts);
  layer.rule.scale = latent.scale;
  auto rotary = ReadRotary(
      context.config, *context.traits,
      {.head_size = shape.head_size, .columns = latent.rotary_size, .first = latent.rotary_first});
  if (rotary) {
    layer.rule.rotary = *std::move(rotary);
    layer.rule.rotary->interleaved = latent.interleaved;
  } else {
    layer.rule_error = std::move(rotary).error();
  }
  return std::optional(std::move(layer));
}

FloatMatrix Times(float factor, FloatMatrix rows) {
  if (factor == 1) return rows;
  for (float& value : rows.values()) value *= factor;
  return rows;
}

Result<FloatMatrix> ApplyWithNorm(const LinearMap& map, const std::optional<Norm>& norm,
                                  const FloatMatrix& rows) {
  auto product = map.Apply(rows);
  if (!product || !norm) return product;
  return norm->Apply(*std::move(product));
}

}  // namespace

bool IsOfIndexer(std::string_view name) { return name.find(".indexer.") != std::string_view::npos; }

Result<std::optional<AttentionLayer>> ReadAttentionLayer(const StackContext& context,
                                                         const AttentionSource& source) {
  const LayerParts& parts = source.parts;
  const bool cross = source.cross_attention;
  if (!cross && IsLatentAttention(parts)) return ReadLatentLayer(context, parts);
  auto found = FindMaps(context, source);
  if (!found) return found;
  found->query_input = source.query_input;
  found->value_input = source.value_input;
  TG_TRY(CheckWidths(context, *found, source));
  TG_ASSIGN(const auto head_size, FindHeadSize(context, found->query, source.norms, source.layer));
  if (!head_size) {
    const auto plain = PlainShape(*found);
    if (!plain || source.norms.query_gain != nullptr) return std::optional<AttentionLayer>();
    found->shape = *plain;
    found->heads_known = false;
    return found;
  }
  const bool convolves = parts.Named("conv_out_layer.weight") != nullptr;
  TG_ASSIGN(auto shape, ShapeOf(*found, *head_size, convolves));
  found->shape = shape;
  if (found->gate) {
    const bool by_head = found->gate->outputs() == shape.heads;
    TG_TRY(CheckMap(*found->gate, context.hidden_size,
                    by_head ? shape.heads : shape.heads * shape.value_size));
    found->gate_activation = context.traits->attention_gate;
  }
  TG_TRY(CheckHeadNorms(context, *found, source.norms));
  ReadNorms(context, source.norms, *found);
  ReadRule(context, source.layer, cross, *found);
  if (cross) return found;
  ReadFactors(context, *found);
  found->most_keys = ReadMostKeys(context, parts);
  found->differential =
      FindDifferentialAttention(parts, source.layer, MakeNorm(context, nullptr, nullptr).epsilon);
  if (found->differential && shape.heads % 2 != 0) {
    return BadPart(found->query, "heads that are compared in pairs are odd in number",
                   fmt::format("{} heads", shape.heads), "an even number");
  }
  found->preference = FindKeyPreference(parts, shape.key_heads);
  found->relative = FindRelativePositions(parts);
  found->local = FindLocalMixing(parts);
  return found;
}

Result<AttentionRows> Project(const AttentionLayer& attention, const LayerParts& parts,
                              const ConfigView& config, const FloatMatrix& rows,
                              const FloatMatrix& key_rows) {
  auto projected = ProjectQueriesAndKeys(attention, parts, config, rows, key_rows);
  if (!projected || attention.latent) return projected;
  TG_ASSIGN(projected->values, ProjectValues(attention, key_rows));
  return projected;
}

Result<FloatMatrix> ProjectValues(const AttentionLayer& attention, const FloatMatrix& rows) {
  if (attention.value_input) {
    TG_ASSIGN(const auto inputs, attention.value_input->Apply(rows));
    return ApplyWithNorm(attention.value, attention.value_norm, inputs);
  }
  return ApplyWithNorm(attention.value, attention.value_norm, Times(attention.input_factor, rows));
}

Result<AttentionRows> ProjectSequence(const AttentionLayer& attention, const LayerParts& parts,
                                      const ConfigView& config, const FloatMatrix& rows,
                                      const FloatMatrix& key_rows, AttentionRule& rule) {
  const uint64_t head_size = attention.shape.head_size;
  const auto rotate = [&](AttentionRows& projected) {
    if (!rule.rotary) return;
    RotateHeads(*rule.rotary, head_size, projected.queries);
    RotateHeads(*rule.rotary, head_size, projected.keys);
    rule.rotary.reset();
  };
  if (attention.latent || !attention.norms_after_rotation) {
    auto projected = Project(attention, parts, config, rows, key_rows);
    if (projected) rotate(*projected);
    return projected;
  }
  AttentionRows projected;
  TG_ASSIGN(projected.queries, attention.query.Apply(rows));
  TG_ASSIGN(projected.keys, attention.key.Apply(key_rows));
  TG_ASSIGN(projected.values, ProjectValues(attention, key_rows));
  rotate(projected);
  TG_ASSIGN(projected.queries, ApplyIfAny(attention.query_norm, std::move(projected.queries)));
  TG_ASSIGN(projected.keys, ApplyIfAny(attention.key_norm, std::move(projected.keys)));
  return projected;
}

Result<AttentionRows> ProjectQueriesAndKeys(const AttentionLayer& attention,
                                            const LayerParts& parts, const ConfigView& config,
                                            const FloatMatrix& rows, const FloatMatrix& key_rows) {
  if (attention.latent) return ProjectLatent(parts, *attention.latent, config, rows);
  const auto input = [&](const FloatMatrix& from) -> Result<FloatMatrix> {
    if (attention.query_input) return attention.query_input->Apply(from);
    return Times(attention.input_factor, from);
  };
  TG_ASSIGN(const auto query_rows, input(rows));
  TG_ASSIGN(auto queries, ApplyWithNorm(attention.query, attention.query_norm, query_rows));
  TG_ASSIGN(const auto own_key_rows, input(key_rows));
  TG_ASSIGN(auto keys, ApplyWithNorm(attention.key, attention.key_norm, own_key_rows));
  for (float& value : keys.values()) value *= attention.key_factor;
  return AttentionRows{std::move(queries), std::move(keys), {}};
}

Result<AttentionRule> FullRule(const AttentionLayer& attention) {
  if (!attention.heads_known) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "nothing tells the attention's heads apart",
                 .expected = "the number of heads in config.json"};
  }
  if (attention.rule_error) return *attention.rule_error;
  AttentionRule rule = attention.rule;
  if (attention.sinks == nullptr) return rule;
  TG_ASSIGN(auto sinks,
            ReadVector(*attention.output.source, *attention.sinks, attention.shape.heads));
  rule.sinks = std::move(sinks);
  return rule;
}

Result<FloatMatrix> Finish(const AttentionLayer& attention, const FloatMatrix& rows,
                           FloatMatrix mixed) {
  if (attention.differential) {
    TG_ASSIGN(mixed, attention.differential->Combine(mixed, attention.shape));
  }
  if (attention.gate) {
    TG_ASSIGN(const auto gate, attention.gate->Apply(rows));
    const size_t columns_of_one = mixed.columns() / gate.columns();
    for (size_t row = 0; row < mixed.rows(); ++row) {
      const auto values = mixed.Row(row);
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] *= Activate(attention.gate_activation, gate.Row(row)[i / columns_of_one]);
      }
    }
  }
  TG_ASSIGN(const auto normalised, ApplyIfAny(attention.inner_norm, std::move(mixed)));
  TG_ASSIGN(auto added, attention.output.Apply(normalised));
  return Times(attention.output_factor, std::move(added));
}

}  // namespace tensorguard::internal
