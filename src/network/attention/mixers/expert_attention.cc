#include "network/attention/mixers/expert_attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "architecture/table/architecture_table.h"
#include "base/try.h"
#include "network/attention/attention.h"
#include "network/attention/rotary_settings.h"
#include "network/feed_forward/expert_routing.h"
#include "network/parts/linear_map.h"
#include "network/parts/named_module.h"

namespace tensorguard::internal {
namespace {

struct ExpertAttention {
  LinearMap key = {};
  LinearMap value = {};
  LinearMap router = {};
  std::vector<const Weight*> queries = {};  // by expert
  std::vector<const Weight*> outputs = {};
  const Weight* bias = nullptr;  // of what all give together; null: none
  RoutingSettings routing = {};
  AttentionShape shape = {};  // of one expert
  AttentionRule rule = {};
};

// The experts' matrices of a name, one after the other. Empty where one is missing.
std::vector<const Weight*> ExpertsNamed(const LayerParts& layer, std::string_view ending) {
  std::vector<const Weight*> found;
  for (const Weight* weight : layer.weights()) {
    if (!weight->role.expert || !EndsInWords(layer.NameOf(*weight), ending)) continue;
    const size_t expert = *weight->role.expert;
    if (expert >= found.size()) found.resize(expert + 1);
    found[expert] = weight;
  }
  return std::ranges::count(found, nullptr) == 0 ? found : std::vector<const Weight*>();
}

Result<AttentionShape> ReadShape(const ConfigView& config, const LayerParts& layer,
                                 const ExpertAttention& attention) {
  static constexpr std::array<std::string_view, 2> kSize = {"kv_channels", "head_dim"};
  const uint64_t keys = attention.key.outputs();
  const uint64_t size = config.Number(kSize).value_or(0);
  if (size == 0 || keys == 0 || keys % size != 0) {
    return ContradictoryPart(layer, *attention.key.weight, "does not divide into heads",
                             fmt::format("{} rows", keys), fmt::format("heads of {}", size));
  }
  if (attention.value.outputs() != keys) {
    return ContradictoryPart(layer, *attention.value.weight, "is not as wide as the keys",
                             fmt::format("{} rows", attention.value.outputs()),
                             fmt::format("{}", keys));
  }
  for (size_t expert = 0; expert < attention.queries.size(); ++expert) {
    const Weight& query = *attention.queries[expert];
    const Weight& output = *attention.outputs[expert];
    if (query.rows == keys && output.columns == keys && output.rows == query.columns) continue;
    return ContradictoryPart(layer, query, "does not go with the keys and the output",
                             fmt::format("{} rows", query.rows), fmt::format("{}", keys));
  }
  return AttentionShape{
      .heads = keys / size, .key_heads = keys / size, .head_size = size, .value_size = size};
}

Result<ExpertAttention> Read(const LayerParts& layer, const ConfigView& config) {
  const NamedModule module =
      NamedModule::Holding(layer, "kv_proj.weight").value_or(NamedModule(layer, ""));
  const auto key = layer.FindMap(Role::kKey);
  const auto value = layer.FindMap(Role::kValue);
  TG_ASSIGN(const auto router, module.RequireMap("experts.router.layer"));
  ExpertAttention attention{.router = router,
                            .queries = ExpertsNamed(layer, "experts.input_linear.weight"),
                            .outputs = ExpertsNamed(layer, "experts.output_linear.weight"),
                            .bias = module.Find("experts.bias")};
  const uint64_t experts = attention.router.outputs();
  const bool whole = key && value && experts > 0 && attention.queries.size() == experts &&
                     attention.outputs.size() == experts;
  if (!whole) {
    return ContradictoryPart(layer, *attention.router.weight, "has not an output for each expert",
                             fmt::format("{} outputs", experts),
                             fmt::format("{}", attention.queries.size()));
  }
  attention.key = *key;
  attention.value = *value;
  TG_ASSIGN(attention.routing, ReadRouting(config, {.kind = RoutingKind::kTopKSoftmax},
                                           static_cast<uint32_t>(experts), false));
  TG_ASSIGN(attention.shape, ReadShape(config, layer, attention));
  TG_ASSIGN(auto rotary,
            ReadRotary(config, GenericTraits(), {.head_size = attention.shape.head_size}));
  attention.rule.scale = 1 / std::sqrt(static_cast<float>(attention.shape.head_size));
  attention.rule.rotary = std::move(rotary);
  return attention;
}

// What each row's expert makes of it, times the expert's weight where that is wanted.
Result<FloatMatrix> ApplyByExpert(const WeightSource& source,
                                  const std::vector<const Weight*>& experts,
                                  const std::vector<ExpertShare>& shares, const FloatMatrix& rows,
                                  bool weighted) {
  FloatMatrix result(rows.rows(), experts.front()->rows);
  for (uint32_t expert = 0; expert < experts.size(); ++expert) {
    std::vector<size_t> own;
    for (size_t row = 0; row < shares.size(); ++row) {
      if (shares[row].expert == expert) own.push_back(row);
    }
    if (own.empty()) continue;
    FloatMatrix inputs(own.size(), rows.columns());
    for (size_t i = 0; i < own.size(); ++i) {
      std::ranges::copy(rows.Row(own[i]), inputs.Row(i).begin());
    }
    TG_ASSIGN(const auto outputs, (LinearMap{&source, experts[expert]}.Apply(inputs)));
    for (size_t i = 0; i < own.size(); ++i) {
      const float factor = weighted ? shares[own[i]].weight : 1;
      std::ranges::transform(outputs.Row(i), result.Row(own[i]).begin(),
                             [&](float x) { return factor * x; });
    }
  }
  return result;
}

Result<FloatMatrix> AttendBySequence(const ExpertAttention& attention, const FloatMatrix& queries,
                                     const FloatMatrix& keys, const FloatMatrix& values,
                                     size_t length) {
  FloatMatrix mixed(queries.rows(), queries.columns());
  const auto part = [&](const FloatMatrix& all, size_t begin) {
    FloatMatrix own(length, all.columns());
    for (size_t row = 0; row < length; ++row) {
      std::ranges::copy(all.Row(begin + row), own.Row(row).begin());
    }
    return own;
  };
  for (size_t begin = 0; begin < queries.rows(); begin += length) {
    const auto attended = Attend({part(queries, begin), part(keys, begin), part(values, begin)},
                                 attention.shape, attention.rule);
    for (size_t row = 0; row < length; ++row) {
      std::ranges::copy(attended.Row(row), mixed.Row(begin + row).begin());
    }
  }
  return mixed;
}

}  // namespace

Result<void> CheckExpertAttention(const LayerParts& layer, const ConfigView& config) {
  TG_TRY(Read(layer, config));
  return {};
}

Result<FloatMatrix> RunExpertAttention(const LayerParts& layer, const ConfigView& config,
                                       const FloatMatrix& rows, size_t sequence_length) {
  TG_ASSIGN(const auto attention, Read(layer, config));
  TG_ASSIGN(const auto keys, attention.key.Apply(rows));
  TG_ASSIGN(const auto values, attention.value.Apply(rows));
  TG_ASSIGN(const auto scores, attention.router.Apply(rows));
  std::vector<std::vector<ExpertShare>> shares(attention.routing.experts_per_token);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const auto chosen = RouteToken(scores.Row(row), {}, attention.routing);
    for (size_t choice = 0; choice < shares.size(); ++choice) {
      shares[choice].push_back(chosen[choice]);
    }
  }
  FloatMatrix sum(rows.rows(), rows.columns());
  // The first choices of all tokens look at each other's keys, then the second ones.
  for (const auto& of_choice : shares) {
    TG_ASSIGN(const auto queries,
              ApplyByExpert(layer.source(), attention.queries, of_choice, rows, false));
    TG_ASSIGN(const auto mixed,
              AttendBySequence(attention, queries, keys, values, sequence_length));
    TG_ASSIGN(const auto added,
              ApplyByExpert(layer.source(), attention.outputs, of_choice, mixed, true));
    Add(added, sum);
  }
  if (attention.bias == nullptr) return sum;
  TG_ASSIGN(const auto bias, ReadVector(layer.source(), *attention.bias, rows.columns()));
  for (size_t row = 0; row < sum.rows(); ++row) {
    for (size_t i = 0; i < bias.size(); ++i) sum.Row(row)[i] += bias[i];
  }
  return sum;
}

}  // namespace tensorguard::internal
