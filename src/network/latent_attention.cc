#include "network/latent_attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "network/columns.h"
#include "network/named_module.h"
#include "network/norm.h"
#include "network/stated_number.h"

namespace tensorguard {
namespace {

constexpr std::array<std::string_view, 2> kHeadKeys = {"num_attention_heads", "n_heads"};
constexpr std::array<std::string_view, 1> kPlainSizeKeys = {"qk_nope_head_dim"};
constexpr std::array<std::string_view, 1> kRotarySizeKeys = {"qk_rope_head_dim"};
constexpr std::array<std::string_view, 2> kQueryNorms = {"q_a_layernorm.weight", "q_norm.weight"};
constexpr std::array<std::string_view, 2> kLatentNorms = {"kv_a_layernorm.weight",
                                                          "kv_norm.weight"};
// The published code leaves the inner norms at their default, whatever the config says.
constexpr double kNormEpsilon = 1e-6;
// Architectures that rotate halves and have no "rope_interleave" to say so.
constexpr std::string_view kRotatesHalves = "minicpm3";

// The matrices. Without a query bottleneck `query_down` is empty.
struct LatentMaps {
  std::optional<LinearMap> query_down;
  LinearMap query_up;
  LinearMap latent_down;  // to the bottleneck, then the shared rotated part of the key
  LinearMap latent_up;    // per head: its key without the rotated part, its value
  LinearMap output;
};

Error MissingMap(std::string_view role) {
  return {.kind = ErrorKind::kBadFile,
          .problem = fmt::format("a layer with latent attention lacks its {} matrix", role)};
}

Result<LatentMaps> FindMaps(const LayerParts& layer) {
  const auto query_up = layer.FindMap(Role::kQueryUp);
  const auto query = layer.FindMap(Role::kQuery);
  const auto latent_down = layer.FindMap(Role::kKeyValueDown);
  const auto latent_up = layer.FindMap(Role::kKeyValueUp);
  const auto output = layer.FindMap(Role::kOutputProjection);
  if (!query_up && !query) return MissingMap(RoleName(Role::kQuery));
  if (!latent_down) return MissingMap(RoleName(Role::kKeyValueDown));
  if (!latent_up) return MissingMap(RoleName(Role::kKeyValueUp));
  if (!output) return MissingMap(RoleName(Role::kOutputProjection));
  LatentMaps maps = {.query_down = {},
                     .query_up = query_up ? *query_up : *query,
                     .latent_down = *latent_down,
                     .latent_up = *latent_up,
                     .output = *output};
  if (query_up) {
    maps.query_down = layer.FindMap(Role::kQueryDown);
    if (!maps.query_down) return MissingMap(RoleName(Role::kQueryDown));
  }
  return maps;
}

Result<void> CheckRows(const LayerParts& layer, const LinearMap& map,
                       std::optional<uint64_t> expected, std::string_view what) {
  if (map.outputs() == expected) return {};
  return ContradictoryPart(
      layer, *map.weight, fmt::format("has not the outputs that {} ask for", what),
      fmt::format("{}", map.outputs()),
      expected ? fmt::format("{}", *expected) : "a number that fits in 64 bits");
}

// YaRN's growth of the scores with the stretch of the context, where the config asks for it.
double ScoreFactor(const ConfigView& config) {
  for (const std::string_view key : {"rope_parameters", "rope_scaling"}) {
    const Json* scaling = config.Find(key);
    if (scaling == nullptr || !scaling->is_object()) continue;
    const auto number = [&](std::string_view name) {
      const auto found = scaling->find(name);
      return found != scaling->end() && found->is_number() ? found->get<double>() : 0.0;
    };
    const double stretch = number("factor");
    if (stretch <= 1) continue;
    const double factor = 0.1 * number("mscale_all_dim") * std::log(stretch) + 1;
    return factor * factor;
  }
  return 1;
}

const Weight* FirstNamed(const LayerParts& layer, std::span<const std::string_view> endings) {
  for (const std::string_view ending : endings) {
    if (const Weight* weight = layer.Named(ending)) return weight;
  }
  return nullptr;
}

Result<FloatMatrix> NormaliseBottleneck(const LayerParts& layer,
                                        std::span<const std::string_view> names, FloatMatrix rows) {
  const Weight* gain = FirstNamed(layer, names);
  if (gain == nullptr) return rows;
  const Norm norm = {
      .source = &layer.source(), .kind = NormKind::kRms, .epsilon = kNormEpsilon, .gain = gain};
  return norm.Apply(std::move(rows));
}

}  // namespace

bool IsLatentAttention(const LayerParts& layer) {
  return layer.Find(Role::kKeyValueDown) != nullptr && layer.Find(Role::kKeyValueUp) != nullptr;
}

Result<LatentAttention> ReadLatentAttention(const LayerParts& layer, const ConfigView& config) {
  const auto maps = FindMaps(layer);
  if (!maps) return maps.error();
  const auto heads = RequireNumber(config, kHeadKeys);
  if (!heads) return heads.error();
  const auto plain_size = RequireNumber(config, kPlainSizeKeys);
  if (!plain_size) return plain_size.error();
  const auto rotary_size = RequireNumber(config, kRotarySizeKeys);
  if (!rotary_size) return rotary_size.error();

  const uint64_t head_size = *plain_size + *rotary_size;  // both below 2^40
  const auto queries = CheckRows(layer, maps->query_up, CheckedMultiply(*heads, head_size),
                                 "\"num_attention_heads\", \"qk_nope_head_dim\" and "
                                 "\"qk_rope_head_dim\"");
  if (!queries) return queries.error();
  const auto latent = CheckRows(layer, maps->latent_down, maps->latent_up.inputs() + *rotary_size,
                                "the bottleneck and \"qk_rope_head_dim\"");
  if (!latent) return latent.error();
  if (maps->output.inputs() % *heads != 0 || maps->output.inputs() == 0) {
    return ContradictoryNumber(kHeadKeys.front(), *heads,
                               "does not divide the inputs of the output projection",
                               fmt::format("a divisor of {}", maps->output.inputs()));
  }
  const uint64_t value_size = maps->output.inputs() / *heads;
  const auto values =
      CheckRows(layer, maps->latent_up, CheckedMultiply(*heads, *plain_size + value_size),
                "the heads' keys and values");
  if (!values) return values.error();
  const bool halves = config.ModelType() == kRotatesHalves;
  return LatentAttention{
      .shape = {.heads = *heads,
                .key_heads = *heads,
                .head_size = head_size,
                .value_size = value_size},
      .rotary_first = *plain_size,
      .rotary_size = *rotary_size,
      .interleaved = config.Flag("rope_interleave").value_or(!halves),
      .scale = static_cast<float>(ScoreFactor(config) / std::sqrt(static_cast<double>(head_size)))};
}

Result<AttentionRows> ProjectLatent(const LayerParts& layer, const LatentAttention& latent,
                                    const ConfigView& /*config*/, const FloatMatrix& rows) {
  const auto maps = FindMaps(layer);
  if (!maps) return maps.error();
  AttentionRows projected;
  auto narrow = maps->query_down ? maps->query_down->Apply(rows) : rows;
  if (narrow && maps->query_down) {
    narrow = NormaliseBottleneck(layer, kQueryNorms, *std::move(narrow));
  }
  if (!narrow) return std::move(narrow).error();
  auto queries = maps->query_up.Apply(*narrow);
  if (!queries) return std::move(queries).error();
  projected.queries = *std::move(queries);

  const auto down = maps->latent_down.Apply(rows);
  if (!down) return down.error();
  const uint64_t width = maps->latent_up.inputs();
  const auto bottleneck = NormaliseBottleneck(layer, kLatentNorms, Columns(*down, 0, width));
  if (!bottleneck) return bottleneck.error();
  const auto up = maps->latent_up.Apply(*bottleneck);
  if (!up) return up.error();

  const AttentionShape& shape = latent.shape;
  const uint64_t plain_size = latent.rotary_first;
  projected.keys = FloatMatrix(rows.rows(), shape.heads * shape.head_size);
  projected.values = FloatMatrix(rows.rows(), shape.heads * shape.value_size);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const auto shared = down->Row(row).subspan(width, latent.rotary_size);
    for (size_t head = 0; head < shape.heads; ++head) {
      const auto own = up->Row(row).subspan(head * (plain_size + shape.value_size),
                                            plain_size + shape.value_size);
      const auto key = projected.keys.Row(row).subspan(head * shape.head_size, shape.head_size);
      std::ranges::copy(own.first(plain_size), key.begin());
      std::ranges::copy(shared, key.subspan(plain_size).begin());
      std::ranges::copy(own.subspan(plain_size),
                        projected.values.Row(row).subspan(head * shape.value_size).begin());
    }
  }
  return projected;
}

}  // namespace tensorguard
