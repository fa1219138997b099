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

std::optional<uint64_t> StatedHeads(const StackContext& context) {
  static constexpr std::array<std::string_view, 1> kOfEncoder = {"encoder_attention_heads"};
  static constexpr std::array<std::string_view, 1> kOther = {"attention_heads"};
  if (context.is_encoder) {
    if (const auto own = context.config.Number(kOfEncoder)) return own;
  }
  const auto heads = context.config.Heads();
  return heads ? heads : context.config.Number(kOther);
}

// The size of a head: stated, or that of a norm on heads, or the queries' rows by the stated heads.
// Empty where nothing tells.
Result<std::optional<uint64_t>> FindHeadSize(const StackContext& context, const LinearMap& query,
                                             const AttentionNorms& norms) {
  static constexpr std::array<std::string_view, 3> kKeys = {"head_dim", "d_kv", "kv_channels"};
  const auto heads = StatedHeads(context);
  const auto stated = context.config.Number(kKeys);
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
Result<AttentionShape> ShapeOf(const AttentionLayer& layer, uint64_t head_size) {
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
  TG_TRY(CheckMap(layer.output, shape.heads * shape.value_size, 0));
  return shape;
}

// One head for all, where the rows leave nothing to share.
std::optional<AttentionShape> PlainShape(const AttentionLayer& layer) {
  const uint64_t width = layer.query.outputs();
  if (width == 0 || layer.key.outputs() != width) return {};
  if (layer.value.outputs() == 0 || layer.output.inputs() != layer.value.outputs()) return {};
  return AttentionShape{.head_size = width, .value_size = layer.value.outputs()};
}

std::optional<AttentionLayer> FindMaps(const LayerParts& parts, bool cross_attention) {
  const PartFilter filter{.cross_attention = cross_attention};
  const auto query = parts.FindMap(Role::kQuery, filter);
  const auto key = parts.FindMap(Role::kKey, filter);
  const auto value = parts.FindMap(Role::kValue, filter);
  const auto output = parts.FindMap(Role::kOutputProjection, filter);
  if (!query || !key || !value || !output) return {};
  AttentionLayer layer{.query = *query, .key = *key, .value = *value, .output = *output};
  layer.gate = parts.FindMap(Role::kAttentionGate, filter);
  if (cross_attention) return layer;
  for (const Weight* weight : parts.weights()) {
    if (weight->role.role == Role::kGain && EndsInWords(parts.NameOf(*weight), "sinks")) {
      layer.sinks = weight;
    }
  }
  return layer;
}

Result<void> CheckWidths(const StackContext& context, const AttentionLayer& layer,
                         bool cross_attention) {
  const uint64_t hidden = context.hidden_size;
  const uint64_t key_inputs = cross_attention ? 0 : hidden;  // as wide as the encoder
  for (const auto& [map, inputs] :
       {std::pair(layer.query, hidden), std::pair(layer.key, key_inputs),
        std::pair(layer.value, key_inputs)}) {
    if (auto fits = CheckMap(map, inputs, 0); !fits) return fits;
  }
  return CheckMap(layer.output, 0, hidden);
}

// A norm on queries or keys: over as many columns as its gain has, which may be one head's or all.
std::optional<Norm> HeadNorm(const StackContext& context, const Weight* gain, const Weight* bias,
                             uint64_t head_size) {
  if (gain != nullptr) {
    Norm norm = MakeNorm(context, gain, bias, GroupOf(*gain));
    if (context.traits->query_key_norm) norm.kind = *context.traits->query_key_norm;
    return norm;
  }
  const bool unweighted = context.traits->unweighted_query_key_norm &&
                          context.config.Flag("use_qk_norm").value_or(false);
  if (!unweighted) return {};
  return MakeNorm(context, nullptr, nullptr, head_size);
}

void ReadNorms(const StackContext& context, const AttentionNorms& norms, AttentionLayer& layer) {
  const uint64_t size = layer.shape.head_size;
  layer.query_norm = HeadNorm(context, norms.query_gain, norms.query_bias, size);
  layer.key_norm = HeadNorm(context, norms.key_gain, norms.key_bias, size);
  if (norms.inner_gain != nullptr) {
    layer.inner_norm = MakeNorm(context, norms.inner_gain, norms.inner_bias);
  }
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
  if (context.traits->unweighted_query_key_norm && !layer.rule.rotary) {
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

Result<FloatMatrix> ApplyWithNorm(const LinearMap& map, const std::optional<Norm>& norm,
                                  const FloatMatrix& rows) {
  auto product = map.Apply(rows);
  if (!product || !norm) return product;
  return norm->Apply(*std::move(product));
}

}  // namespace

Result<std::optional<AttentionLayer>> ReadAttentionLayer(const StackContext& context,
                                                         const LayerParts& parts,
                                                         const AttentionNorms& norms,
                                                         uint32_t layer, bool cross_attention) {
  if (!cross_attention && IsLatentAttention(parts)) return ReadLatentLayer(context, parts);
  auto found = FindMaps(parts, cross_attention);
  if (!found) return found;
  TG_TRY(CheckWidths(context, *found, cross_attention));
  TG_ASSIGN(const auto head_size, FindHeadSize(context, found->query, norms));
  if (!head_size) {
    const auto plain = PlainShape(*found);
    if (!plain || norms.query_gain != nullptr) return std::optional<AttentionLayer>();
    found->shape = *plain;
    found->heads_known = false;
    return found;
  }
  TG_ASSIGN(auto shape, ShapeOf(*found, *head_size));
  found->shape = shape;
  if (found->gate) {
    TG_TRY(CheckMap(*found->gate, context.hidden_size, shape.heads * shape.value_size));
  }
  ReadNorms(context, norms, *found);
  ReadRule(context, layer, cross_attention, *found);
  return found;
}

Result<AttentionRows> Project(const AttentionLayer& attention, const LayerParts& parts,
                              const ConfigView& config, const FloatMatrix& rows,
                              const FloatMatrix& key_rows) {
  auto projected = ProjectQueriesAndKeys(attention, parts, config, rows, key_rows);
  if (!projected || attention.latent) return projected;
  TG_ASSIGN(auto values, attention.value.Apply(key_rows));
  projected->values = std::move(values);
  return projected;
}

Result<AttentionRows> ProjectQueriesAndKeys(const AttentionLayer& attention,
                                            const LayerParts& parts, const ConfigView& config,
                                            const FloatMatrix& rows, const FloatMatrix& key_rows) {
  if (attention.latent) return ProjectLatent(parts, *attention.latent, config, rows);
  TG_ASSIGN(auto queries, ApplyWithNorm(attention.query, attention.query_norm, rows));
  TG_ASSIGN(auto keys, ApplyWithNorm(attention.key, attention.key_norm, key_rows));
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
  if (attention.gate) {
    TG_ASSIGN(const auto gate, attention.gate->Apply(rows));
    const auto factors = gate.values();
    const auto values = mixed.values();
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= Activate(Activation::kSigmoid, factors[i]);
    }
  }
  if (attention.inner_norm) {
    auto normalised = attention.inner_norm->Apply(std::move(mixed));
    if (!normalised) return normalised;
    return attention.output.Apply(*normalised);
  }
  return attention.output.Apply(mixed);
}

}  // namespace tensorguard::internal
