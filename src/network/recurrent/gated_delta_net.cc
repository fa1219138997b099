#include "network/recurrent/gated_delta_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/matrix_columns.h"
#include "network/parts/named_module.h"
#include "network/parts/norm.h"
#include "network/parts/stated_number.h"
#include "network/recurrent/causal_convolution.h"
#include "network/recurrent/recurrent_mixer.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 1> kKeyHeadKeys = {"linear_num_key_heads"};
constexpr std::array<std::string_view, 1> kEpsilonKeys = {"rms_norm_eps"};
constexpr double kLengthEpsilon = 1e-6;
constexpr double kSeparateEpsilon = 1e-5;  // of OLMo's form, whatever config.json says

struct Sizes {
  uint64_t key_heads = 0;
  uint64_t value_heads = 0;  // a multiple of key_heads
  uint64_t key_size = 0;
  uint64_t value_size = 0;

  uint64_t values_per_key() const { return value_heads / key_heads; }
  uint64_t keys() const { return key_heads * key_size; }
  uint64_t values() const { return value_heads * value_size; }
  uint64_t convolved() const { return 2 * keys() + values(); }
};

// What the input projections make of the rows, one row each.
struct Projections {
  FloatMatrix mixed;   // all queries, then all keys, then all values, head by head
  FloatMatrix gates;   // z, [n, values]
  FloatMatrix betas;   // [n, value heads]
  FloatMatrix alphas;  // [n, value heads]
};

// OLMo's form has a matrix and a convolution each for queries, keys and values.
bool IsSeparate(const NamedModule& module) { return module.Has("q_conv1d.weight"); }

std::string_view OutputName(const NamedModule& module) {
  return IsSeparate(module) ? "o_proj" : "out_proj";
}

// The channels that the convolutions have together. Errors: those of Require.
Result<uint64_t> ConvolvedChannels(const NamedModule& module) {
  const auto channels_of = [&](const Weight& weight) {
    const auto& shape = module.layer().source().tensors()[weight.tensor_index].shape;
    return shape.empty() ? uint64_t{0} : shape.front();
  };
  if (!IsSeparate(module)) {
    TG_ASSIGN(const auto convolution, module.Require("conv1d.weight"));
    return channels_of(*convolution);
  }
  uint64_t channels = 0;
  for (const std::string_view name : {"q_conv1d.weight", "k_conv1d.weight", "v_conv1d.weight"}) {
    TG_ASSIGN(const auto convolution, module.Require(name));
    channels += std::min(channels_of(*convolution), uint64_t{1} << 40);
  }
  return channels;
}

Result<Sizes> ReadSizes(const NamedModule& module, const ConfigView& config) {
  TG_ASSIGN(const auto decays, module.Require("A_log"));
  TG_ASSIGN(const auto channels, ConvolvedChannels(module));
  TG_ASSIGN(const auto output, module.RequireMap(OutputName(module)));
  TG_ASSIGN(const auto key_heads, RequireNumber(config, kKeyHeadKeys));

  const auto& tensors = module.layer().source().tensors();
  Sizes sizes = {.key_heads = key_heads,
                 .value_heads = tensors[decays->tensor_index].element_count};
  if (sizes.value_heads < sizes.key_heads || sizes.value_heads % sizes.key_heads != 0) {
    return ContradictoryNumber(kKeyHeadKeys.front(), sizes.key_heads,
                               "does not divide the value heads",
                               fmt::format("a divisor of {}", sizes.value_heads));
  }
  sizes.value_size = output.inputs() / sizes.value_heads;
  if (sizes.value_size == 0 || sizes.values() != output.inputs()) {
    return ContradictoryPart(module.layer(), *output.weight,
                             "has other inputs than the mixer's heads put out",
                             fmt::format("{}", output.inputs()),
                             fmt::format("a multiple of {} heads", sizes.value_heads));
  }
  if (channels > sizes.values()) {
    sizes.key_size = (channels - sizes.values()) / (2 * sizes.key_heads);
  }
  if (sizes.key_size == 0 || sizes.key_size > kLargestStateSide || channels != sizes.convolved()) {
    const Weight* convolution = module.Find("conv1d.weight");
    return ContradictoryPart(module.layer(), convolution != nullptr ? *convolution : *decays,
                             "has another number of channels than the mixer's other parts want",
                             fmt::format("{}", channels),
                             fmt::format("{} and {} times a key's size of at most {}",
                                         sizes.values(), 2 * sizes.key_heads, kLargestStateSide));
  }
  return sizes;
}

// The columns [first, first + count) of every block of `stride` columns, side by side.
FloatMatrix ColumnsOfBlocks(const FloatMatrix& matrix, size_t stride, size_t first, size_t count) {
  const size_t blocks = matrix.columns() / stride;
  FloatMatrix columns(matrix.rows(), blocks * count);
  for (size_t row = 0; row < matrix.rows(); ++row) {
    for (size_t block = 0; block < blocks; ++block) {
      std::ranges::copy(matrix.Row(row).subspan(block * stride + first, count),
                        columns.Row(row).begin() + static_cast<std::ptrdiff_t>(block * count));
    }
  }
  return columns;
}

FloatMatrix SideBySide(std::span<const FloatMatrix> parts) {
  size_t columns = 0;
  for (const FloatMatrix& part : parts) columns += part.columns();
  FloatMatrix all(parts.front().rows(), columns);
  for (size_t row = 0; row < all.rows(); ++row) {
    auto out = all.Row(row).begin();
    for (const FloatMatrix& part : parts) out = std::ranges::copy(part.Row(row), out).out;
  }
  return all;
}

// Key head by key head: its query, its key, the values and the gates of its value heads.
Result<Projections> ProjectPacked(const NamedModule& module, const Sizes& sizes,
                                  const FloatMatrix& rows) {
  const size_t values = sizes.values_per_key() * sizes.value_size;
  const size_t stride = 2 * sizes.key_size + 2 * values;
  TG_ASSIGN(const auto wide, module.Apply("in_proj_qkvz", rows, sizes.key_heads * stride));
  TG_ASSIGN(const auto narrow, module.Apply("in_proj_ba", rows, 2 * sizes.value_heads));
  const std::array<FloatMatrix, 3> mixed = {
      ColumnsOfBlocks(wide, stride, 0, sizes.key_size),
      ColumnsOfBlocks(wide, stride, sizes.key_size, sizes.key_size),
      ColumnsOfBlocks(wide, stride, 2 * sizes.key_size, values)};
  const size_t per_key = sizes.values_per_key();
  return Projections{.mixed = SideBySide(mixed),
                     .gates = ColumnsOfBlocks(wide, stride, 2 * sizes.key_size + values, values),
                     .betas = ColumnsOfBlocks(narrow, 2 * per_key, 0, per_key),
                     .alphas = ColumnsOfBlocks(narrow, 2 * per_key, per_key, per_key)};
}

Result<Projections> Project(const NamedModule& module, const Sizes& sizes,
                            const FloatMatrix& rows) {
  if (module.Has("in_proj_qkvz.weight")) return ProjectPacked(module, sizes, rows);
  Projections projections;
  const std::array parts = {
      std::tuple{"in_proj_qkv", sizes.convolved(), &projections.mixed},
      std::tuple{"in_proj_z", sizes.values(), &projections.gates},
      std::tuple{"in_proj_b", sizes.value_heads, &projections.betas},
      std::tuple{"in_proj_a", sizes.value_heads, &projections.alphas},
  };
  for (const auto& [member, outputs, result] : parts) {
    TG_ASSIGN(auto applied, module.Apply(member, rows, outputs));
    *result = std::move(applied);
  }
  return projections;
}

Result<Projections> ProjectSeparately(const NamedModule& module, const Sizes& sizes,
                                      const FloatMatrix& rows, size_t sequence_length) {
  Projections projections;
  std::array<FloatMatrix, 3> mixed;
  const std::array parts = {std::tuple{"q_proj", "q_conv1d", sizes.keys()},
                            std::tuple{"k_proj", "k_conv1d", sizes.keys()},
                            std::tuple{"v_proj", "v_conv1d", sizes.values()}};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto& [matrix, convolution, outputs] = parts[i];
    TG_ASSIGN(mixed[i], module.Apply(matrix, rows, outputs));
    TG_ASSIGN(const auto own, ReadCausalConvolution(module, convolution, outputs));
    own.Apply(mixed[i], 0, sequence_length);
  }
  projections.mixed = SideBySide(mixed);
  TG_ASSIGN(projections.gates, module.Apply("g_proj", rows, sizes.values()));
  TG_ASSIGN(projections.betas, module.Apply("b_proj", rows, sizes.value_heads));
  TG_ASSIGN(projections.alphas, module.Apply("a_proj", rows, sizes.value_heads));
  return projections;
}

// To unit length times `factor`, as the published code does it: epsilon beside the squares' sum.
void ScaleToLength(std::span<float> vector, double factor) {
  double squares = 0;
  for (const float value : vector) squares += double{value} * value;
  const double scale = factor / std::sqrt(squares + kLengthEpsilon);
  for (float& value : vector) value = static_cast<float>(value * scale);
}

// alphas become decays, betas the strengths of the correction.
Result<void> FinishGates(const NamedModule& module, const Sizes& sizes, Projections& projections) {
  TG_ASSIGN(const auto rates, module.ReadVector("A_log", sizes.value_heads));
  TG_ASSIGN(const auto bias, module.ReadVector("dt_bias", sizes.value_heads));
  for (size_t row = 0; row < projections.alphas.rows(); ++row) {
    for (size_t head = 0; head < sizes.value_heads; ++head) {
      float& alpha = projections.alphas.Row(row)[head];
      alpha = std::exp(-std::exp(rates[head]) * Softplus(alpha + bias[head]));
      float& beta = projections.betas.Row(row)[head];
      beta = Sigmoid(beta);
    }
  }
  return {};
}

// One sequence of one column of a head's values: that column of the state, and of the result.
void Scan(const Sizes& sizes, const Projections& projections, size_t column, size_t begin,
          size_t length, FloatMatrix& result) {
  const size_t head = column / sizes.value_size;
  const size_t key_head = head / sizes.values_per_key();
  std::vector<double> state(sizes.key_size, 0);
  for (size_t t = begin; t < begin + length; ++t) {
    const auto row = projections.mixed.Row(t);
    const auto query = row.subspan(key_head * sizes.key_size, sizes.key_size);
    const auto key = row.subspan(sizes.keys() + key_head * sizes.key_size, sizes.key_size);
    const double decay = projections.alphas.Row(t)[head];
    double recalled = 0;
    for (size_t i = 0; i < state.size(); ++i) {
      state[i] *= decay;
      recalled += state[i] * key[i];
    }
    const double value = row[2 * sizes.keys() + column];
    const double correction = (value - recalled) * projections.betas.Row(t)[head];
    double sum = 0;
    for (size_t i = 0; i < state.size(); ++i) {
      state[i] += key[i] * correction;
      sum += state[i] * query[i];
    }
    result.Row(t)[column] = static_cast<float>(sum);
  }
}

}  // namespace

Result<void> CheckGatedDeltaNet(const LayerParts& layer, const ConfigView& config) {
  const auto module = NamedModule::Holding(layer, "A_log").value_or(NamedModule(layer, ""));
  TG_TRY(ReadSizes(module, config));
  return {};
}

Result<FloatMatrix> RunGatedDeltaNet(const LayerParts& layer, const ConfigView& config,
                                     const FloatMatrix& rows, size_t sequence_length) {
  const auto module = NamedModule::Holding(layer, "A_log").value_or(NamedModule(layer, ""));
  TG_ASSIGN(const auto sizes, ReadSizes(module, config));
  const bool separate = IsSeparate(module);
  TG_ASSIGN(auto projections, separate ? ProjectSeparately(module, sizes, rows, sequence_length)
                                       : Project(module, sizes, rows));
  if (!separate) {
    TG_ASSIGN(const auto convolution, ReadCausalConvolution(module, "conv1d", sizes.convolved()));
    convolution.Apply(projections.mixed, 0, sequence_length);
  }
  Activate(Activation::kSilu, projections.mixed.values());
  TG_TRY(FinishGates(module, sizes, projections));
  if (config.Flag("linear_allow_neg_eigval").value_or(false)) {
    for (float& beta : projections.betas.values()) beta *= 2;
  }

  const double query_length = 1 / std::sqrt(static_cast<double>(sizes.key_size));
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t head = 0; head < 2 * sizes.key_heads; ++head) {
      ScaleToLength(projections.mixed.Row(row).subspan(head * sizes.key_size, sizes.key_size),
                    head < sizes.key_heads ? query_length : 1);
    }
  }
  FloatMatrix result(rows.rows(), sizes.values());
  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    for (size_t column = 0; column < sizes.values(); ++column) {
      Scan(sizes, projections, column, begin, sequence_length, result);
    }
  }
  const Norm norm = {
      .source = &layer.source(),
      .kind = NormKind::kRms,
      .epsilon = separate ? kSeparateEpsilon : config.Real(kEpsilonKeys).value_or(1e-6),
      .gain = module.Find(separate ? "o_norm.weight" : "norm.weight"),
      .group = sizes.value_size};
  TG_ASSIGN(auto normalised, norm.Apply(std::move(result)));
  MultiplyByGates(Activation::kSilu, std::move(projections.gates), normalised);
  return module.Apply(OutputName(module), normalised, rows.columns());
}

}  // namespace tensorguard::internal
