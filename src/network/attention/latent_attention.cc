#include "network/attention/latent_attention.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/try.h"
#include "network/parts/matrix_columns.h"
#include "network/parts/named_module.h"
#include "network/parts/norm.h"
#include "network/parts/stated_number.h"

namespace tensorguard::internal {
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
  LinearMap output;
  // Per head: its key without the rotated part, its value. Empty where both have their own tensor.
  std::optional<LinearMap> latent_up;
  // MLX's form: [heads, bottleneck, key] and [heads, value, bottleneck].
  const Weight* keys_up = nullptr;
  const Weight* values_up = nullptr;
};

Error MissingMap(std::string_view role) {
  return {.kind = ErrorKind::kBadFile,
          .problem = fmt::format("a layer with latent attention lacks its {} matrix", role)};
}

Result<LatentMaps> FindMaps(const LayerParts& layer) {
  const auto query_up = layer.FindMap(Role::kQueryUp);
  const auto query = layer.FindMap(Role::kQuery);
  const auto latent_down = layer.FindMap(Role::kKeyValueDown);
  const auto output = layer.FindMap(Role::kOutputProjection);
  if (!query_up && !query) return MissingMap(RoleName(Role::kQuery));
  if (!latent_down) return MissingMap(RoleName(Role::kKeyValueDown));
  if (!output) return MissingMap(RoleName(Role::kOutputProjection));
  LatentMaps maps = {.query_down = {},
                     .query_up = query_up ? *query_up : *query,
                     .latent_down = *latent_down,
                     .output = *output,
                     .latent_up = {}};
  maps.keys_up = layer.Named("embed_q.weight");
  maps.values_up = layer.Named("unembed_out.weight");
  if (maps.keys_up == nullptr || maps.values_up == nullptr) {
    maps.latent_up = layer.FindMap(Role::kKeyValueUp);
    if (!maps.latent_up) return MissingMap(RoleName(Role::kKeyValueUp));
  }
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

Result<void> CheckShape(const LayerParts& layer, const Weight& weight,
                        const std::vector<uint64_t>& expected) {
  const auto& shape = layer.source().tensors()[weight.tensor_index].shape;
  if (shape == expected) return {};
  return ContradictoryPart(layer, weight, "has not the shape that the layer's other parts ask for",
                           fmt::format("{}", fmt::join(shape, " x ")),
                           fmt::format("{}", fmt::join(expected, " x ")));
}

// Width of the bottleneck, by what leads out of it.
uint64_t BottleneckWidth(const LayerParts& layer, const LatentMaps& maps) {
  if (maps.latent_up) return maps.latent_up->inputs();
  const auto& shape = layer.source().tensors()[maps.keys_up->tensor_index].shape;
  return shape.size() == 3 ? shape[1] : 0;
}

// Whether what leads out of the bottleneck fits the heads.
Result<void> CheckUp(const LayerParts& layer, const LatentMaps& maps, uint64_t heads,
                     uint64_t key_size, uint64_t value_size) {
  if (maps.latent_up) {
    return CheckRows(layer, *maps.latent_up, CheckedMultiply(heads, key_size + value_size),
                     "the heads' keys and values");
  }
  const uint64_t width = BottleneckWidth(layer, maps);
  auto keys = CheckShape(layer, *maps.keys_up, {heads, width, key_size});
  if (!keys) return keys;
  return CheckShape(layer, *maps.values_up, {heads, value_size, width});
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

// One matrix per head, of inputs to outputs: element (i, o) lies at i * input_step + o *
// output_step.
struct HeadMatrices {
  std::vector<float> values;
  uint64_t outputs = 0;
  uint64_t inputs = 0;
  uint64_t output_step = 0;
  uint64_t input_step = 0;

  // What head `head` makes of `input`.
  void Apply(size_t head, std::span<const float> input, std::span<float> output) const {
    const auto own = std::span(values).subspan(head * outputs * inputs, outputs * inputs);
    for (size_t o = 0; o < outputs; ++o) {
      double sum = 0;
      for (size_t i = 0; i < inputs; ++i) {
        sum += double{own[i * input_step + o * output_step]} * input[i];
      }
      output[o] = static_cast<float>(sum);
    }
  }
};

// Out of the bottleneck: per head its key without the rotated part, then its value.
Result<FloatMatrix> ApplyUp(const LayerParts& layer, const LatentMaps& maps,
                            const LatentAttention& latent, const FloatMatrix& bottleneck) {
  if (maps.latent_up) return maps.latent_up->Apply(bottleneck);
  const uint64_t heads = latent.shape.heads;
  const uint64_t width = bottleneck.columns();
  HeadMatrices keys = {.values = {},
                       .outputs = latent.rotary_first,
                       .inputs = width,
                       .output_step = 1,
                       .input_step = latent.rotary_first};
  HeadMatrices values = {.values = {},
                         .outputs = latent.shape.value_size,
                         .inputs = width,
                         .output_step = width,
                         .input_step = 1};
  for (const auto& [matrices, weight] :
       {std::pair{&keys, maps.keys_up}, std::pair{&values, maps.values_up}}) {
    TG_ASSIGN(auto read, ReadVector(layer.source(), *weight, heads * matrices->outputs * width));
    matrices->values = std::move(read);
  }
  const size_t stride = keys.outputs + values.outputs;
  FloatMatrix up(bottleneck.rows(), heads * stride);
  for (size_t row = 0; row < up.rows(); ++row) {
    for (size_t head = 0; head < heads; ++head) {
      const auto own = up.Row(row).subspan(head * stride, stride);
      keys.Apply(head, bottleneck.Row(row), own.first(keys.outputs));
      values.Apply(head, bottleneck.Row(row), own.subspan(keys.outputs));
    }
  }
  return up;
}

}  // namespace

bool IsLatentAttention(const LayerParts& layer) {
  return layer.Find(Role::kKeyValueDown) != nullptr && layer.Find(Role::kKeyValueUp) != nullptr;
}

Result<LatentAttention> ReadLatentAttention(const LayerParts& layer, const ConfigView& config) {
  TG_ASSIGN(const auto maps, FindMaps(layer));
  TG_ASSIGN(const auto heads, RequireNumber(config, kHeadKeys));
  TG_ASSIGN(const auto plain_size, RequireNumber(config, kPlainSizeKeys));
  TG_ASSIGN(const auto rotary_size, RequireNumber(config, kRotarySizeKeys));

  const uint64_t head_size = plain_size + rotary_size;  // both below 2^40
  TG_TRY(CheckRows(layer, maps.query_up, CheckedMultiply(heads, head_size),
                   "\"num_attention_heads\", \"qk_nope_head_dim\" and "
                   "\"qk_rope_head_dim\""));
  TG_TRY(CheckRows(layer, maps.latent_down, BottleneckWidth(layer, maps) + rotary_size,
                   "the bottleneck and \"qk_rope_head_dim\""));
  if (maps.output.inputs() % heads != 0 || maps.output.inputs() == 0) {
    return ContradictoryNumber(kHeadKeys.front(), heads,
                               "does not divide the inputs of the output projection",
                               fmt::format("a divisor of {}", maps.output.inputs()));
  }
  const uint64_t value_size = maps.output.inputs() / heads;
  TG_TRY(CheckUp(layer, maps, heads, plain_size, value_size));
  const bool halves = config.ModelType() == kRotatesHalves;
  return LatentAttention{
      .shape = {.heads = heads,
                .key_heads = heads,
                .head_size = head_size,
                .value_size = value_size},
      .rotary_first = plain_size,
      .rotary_size = rotary_size,
      .interleaved = config.Flag("rope_interleave").value_or(!halves),
      .scale = static_cast<float>(ScoreFactor(config) / std::sqrt(static_cast<double>(head_size)))};
}

Result<AttentionRows> ProjectLatent(const LayerParts& layer, const LatentAttention& latent,
                                    const ConfigView& /*config*/, const FloatMatrix& rows) {
  TG_ASSIGN(const auto maps, FindMaps(layer));
  AttentionRows projected;
  auto narrow = maps.query_down ? maps.query_down->Apply(rows) : rows;
  if (narrow && maps.query_down) {
    narrow = NormaliseBottleneck(layer, kQueryNorms, *std::move(narrow));
  }
  if (!narrow) return std::move(narrow).error();
  TG_ASSIGN(auto queries, maps.query_up.Apply(*narrow));
  projected.queries = std::move(queries);

  TG_ASSIGN(const auto down, maps.latent_down.Apply(rows));
  const uint64_t width = BottleneckWidth(layer, maps);
  TG_ASSIGN(const auto bottleneck,
            NormaliseBottleneck(layer, kLatentNorms, Columns(down, 0, width)));
  TG_ASSIGN(const auto up, ApplyUp(layer, maps, latent, bottleneck));

  const AttentionShape& shape = latent.shape;
  const uint64_t plain_size = latent.rotary_first;
  projected.keys = FloatMatrix(rows.rows(), shape.heads * shape.head_size);
  projected.values = FloatMatrix(rows.rows(), shape.heads * shape.value_size);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const auto shared = down.Row(row).subspan(width, latent.rotary_size);
    for (size_t head = 0; head < shape.heads; ++head) {
      const auto own = up.Row(row).subspan(head * (plain_size + shape.value_size),
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

}  // namespace tensorguard::internal
