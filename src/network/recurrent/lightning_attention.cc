#include "network/recurrent/lightning_attention.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/named_module.h"
#include "network/parts/norm.h"
#include "network/parts/stated_number.h"
#include "network/recurrent/recurrent_mixer.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 1> kHeadKeys = {"num_attention_heads"};
constexpr std::array<std::string_view, 1> kLayerKeys = {"num_hidden_layers"};
// The published code leaves the inner norm at its library's default, whatever the config says.
constexpr double kNormEpsilon = 1e-6;

struct Heads {
  uint64_t count = 0;
  uint64_t size = 0;
  std::vector<double> slopes;
};

Result<Heads> ReadHeads(const NamedModule& module, const ConfigView& config) {
  TG_ASSIGN(const auto output, module.RequireMap("out_proj"));
  TG_ASSIGN(const auto count, RequireNumber(config, kHeadKeys));
  const auto layers = RequireNumber(config, kLayerKeys);
  if (!layers) return layers.error();

  Heads heads = {.count = count, .size = output.inputs() / count, .slopes = {}};
  if (heads.size == 0 || heads.size * heads.count != output.inputs() ||
      heads.size > kLargestStateSide) {
    return ContradictoryNumber(
        kHeadKeys.front(), heads.count, "does not fit the inputs of out_proj",
        fmt::format("{} in heads of at most {}", output.inputs(), kLargestStateSide));
  }
  if (module.layer_index() >= *layers) {
    return ContradictoryNumber(kLayerKeys.front(), *layers, "is too small for the layers there are",
                               fmt::format("more than {}", module.layer_index()));
  }
  heads.slopes = LightningSlopes(heads.count, module.layer_index(), *layers);
  return heads;
}

// One sequence of one column of a head's values: that column of the state, and of the result.
// `projected` holds per head its query, key and value.
void Scan(const Heads& heads, const FloatMatrix& projected, size_t column, size_t begin,
          size_t length, FloatMatrix& result) {
  const size_t head = column / heads.size;
  const double decay = std::exp(-heads.slopes[head]);
  std::vector<double> state(heads.size, 0);
  for (size_t t = begin; t < begin + length; ++t) {
    const auto own = projected.Row(t).subspan(3 * head * heads.size, 3 * heads.size);
    const double value = own[2 * heads.size + column % heads.size];
    double sum = 0;
    for (size_t i = 0; i < state.size(); ++i) {
      state[i] = decay * state[i] + own[heads.size + i] * value;
      sum += state[i] * own[i];
    }
    result.Row(t)[column] = static_cast<float>(sum);
  }
}

}  // namespace

std::vector<double> LightningSlopes(uint64_t heads, uint64_t layer, uint64_t layers) {
  const double depth = static_cast<double>(layer) / (static_cast<double>(layers) - 1 + 1e-5);
  std::vector<double> slopes;
  for (uint64_t head = 1; head <= heads; ++head) {
    const double share = static_cast<double>(head) / static_cast<double>(heads);
    slopes.push_back(std::exp2(-8 * share) * (1 - depth + 1e-5));
  }
  return slopes;
}

Result<void> CheckLightningAttention(const LayerParts& layer, const ConfigView& config) {
  const auto module =
      NamedModule::Holding(layer, "output_gate.weight").value_or(NamedModule(layer, ""));
  TG_TRY(ReadHeads(module, config));
  return {};
}

Result<FloatMatrix> RunLightningAttention(const LayerParts& layer, const ConfigView& config,
                                          const FloatMatrix& rows, size_t sequence_length) {
  const auto module =
      NamedModule::Holding(layer, "output_gate.weight").value_or(NamedModule(layer, ""));
  TG_ASSIGN(const auto heads, ReadHeads(module, config));
  const uint64_t width = heads.count * heads.size;
  TG_ASSIGN(auto projected, module.Apply("qkv_proj", rows, 3 * width));
  Activate(Activation::kSilu, projected.values());

  FloatMatrix result(rows.rows(), width);
  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    for (size_t column = 0; column < width; ++column) {
      Scan(heads, projected, column, begin, sequence_length, result);
    }
  }
  const Norm norm = {.source = &layer.source(),
                     .kind = NormKind::kRms,
                     .epsilon = kNormEpsilon,
                     .gain = module.Find("norm.weight")};
  TG_ASSIGN(auto normalised, norm.Apply(std::move(result)));
  TG_ASSIGN(auto gates, module.Apply("output_gate", rows, width));
  MultiplyByGates(Activation::kSigmoid, std::move(gates), normalised);
  return module.Apply("out_proj", normalised, rows.columns());
}

}  // namespace tensorguard::internal
