#include "network/recurrent/headed_mamba.h"

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/activation.h"
#include "network/parts/gate_functions.h"
#include "network/parts/named_module.h"
#include "network/recurrent/causal_convolution.h"
#include "network/recurrent/recurrent_mixer.h"
#include "network/recurrent/selective_scan.h"

namespace tensorguard::internal {
namespace {

// The sizes of one head.
struct Sizes {
  uint64_t heads = 0;
  uint64_t channels = 0;  // of all heads
  uint64_t state_size = 0;
  uint64_t step_size = 0;  // of the narrow space that the steps are made from

  uint64_t head_size() const { return channels / heads; }
  uint64_t selected() const { return step_size + 2 * state_size; }
};

NamedModule ModuleOf(const LayerParts& layer) {
  return NamedModule::Holding(layer, "A_log").value_or(NamedModule(layer, ""));
}

// The shape of a tensor with a matrix for each head.
Result<std::vector<uint64_t>> ShapeByHead(const NamedModule& module, std::string_view member) {
  TG_ASSIGN(const auto weight, module.Require(member));
  auto shape = module.layer().source().tensors()[weight->tensor_index].shape;
  if (shape.size() == 3 && shape[0] > 0 && shape[1] > 0 && shape[2] > 0) return shape;
  return ContradictoryPart(module.layer(), *weight, "has no matrix for each head",
                           fmt::format("{} dimensions", shape.size()), "3");
}

Result<Sizes> ReadSizes(const NamedModule& module) {
  TG_ASSIGN(const auto output, module.RequireMap("out_proj"));
  TG_ASSIGN(const auto choice, ShapeByHead(module, "x_proj_weight"));
  TG_ASSIGN(const auto steps, ShapeByHead(module, "dt_proj_weight"));
  TG_ASSIGN(const auto rates, module.Require("A_log"));
  Sizes sizes = {.heads = choice[0], .channels = output.inputs(), .step_size = steps[2]};
  const uint64_t numbers = module.layer().source().tensors()[rates->tensor_index].element_count;
  if (sizes.channels > 0) sizes.state_size = numbers / sizes.channels;
  const bool fits = sizes.channels % sizes.heads == 0 && steps[0] == sizes.heads &&
                    steps[1] == sizes.head_size() && choice[2] == sizes.head_size() &&
                    choice[1] == sizes.selected() && sizes.state_size <= kLargestStateSide;
  if (fits) return sizes;
  return ContradictoryPart(module.layer(), *rates, "does not fit the mixer's other parts",
                           fmt::format("{} numbers for {} heads", numbers, sizes.heads),
                           "heads, states and steps that agree");
}

// Columns [first, first + in) of each row, times a matrix [out, in], plus `bias`.
void ApplyHead(std::span<const float> matrix, std::span<const float> bias, const FloatMatrix& rows,
               size_t first, size_t in, FloatMatrix& to, size_t to_first, size_t out) {
  for (size_t row = 0; row < rows.rows(); ++row) {
    const auto from = rows.Row(row).subspan(first, in);
    for (size_t i = 0; i < out; ++i) {
      double sum = bias.empty() ? 0 : bias[i];
      for (size_t j = 0; j < in; ++j) sum += double{matrix[i * in + j]} * from[j];
      to.Row(row)[to_first + i] = static_cast<float>(sum);
    }
  }
}

// The matrices of all heads, one after the other.
struct HeadWeights {
  std::vector<float> choice;
  std::vector<float> steps;
  std::vector<float> step_bias;
};

struct Selection {
  FloatMatrix step;
  FloatMatrix in;
  FloatMatrix out;
};

Selection Select(const Sizes& sizes, const HeadWeights& weights, size_t head,
                 const FloatMatrix& channels) {
  const size_t size = sizes.head_size();
  auto matrix = std::span(weights.choice).subspan(head * sizes.selected() * size);
  Selection selection = {.step = FloatMatrix(channels.rows(), sizes.step_size),
                         .in = FloatMatrix(channels.rows(), sizes.state_size),
                         .out = FloatMatrix(channels.rows(), sizes.state_size)};
  for (FloatMatrix* part : {&selection.step, &selection.in, &selection.out}) {
    ApplyHead(matrix, {}, channels, head * size, size, *part, 0, part->columns());
    matrix = matrix.subspan(part->columns() * size);
  }
  return selection;
}

// z and u alternate among the outputs of in_proj.
Result<std::pair<FloatMatrix, FloatMatrix>> InputsAndGates(const NamedModule& module,
                                                           const Sizes& sizes,
                                                           const FloatMatrix& rows) {
  TG_ASSIGN(const auto both, module.Apply("in_proj", rows, 2 * sizes.channels));
  FloatMatrix inputs(rows.rows(), sizes.channels);
  FloatMatrix gates(rows.rows(), sizes.channels);
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t i = 0; i < sizes.channels; ++i) {
      inputs.Row(row)[i] = both.Row(row)[2 * i];
      gates.Row(row)[i] = both.Row(row)[2 * i + 1];
    }
  }
  return std::pair(std::move(inputs), std::move(gates));
}

}  // namespace

Result<void> CheckHeadedMamba(const LayerParts& layer, const ConfigView& config) {
  (void)config;
  TG_ASSIGN(const auto sizes, ReadSizes(ModuleOf(layer)));
  (void)sizes;
  return {};
}

Result<FloatMatrix> RunHeadedMamba(const LayerParts& layer, const ConfigView& config,
                                   const FloatMatrix& rows, size_t sequence_length) {
  (void)config;
  const NamedModule module = ModuleOf(layer);
  TG_ASSIGN(const auto sizes, ReadSizes(module));
  TG_ASSIGN(const auto space, ReadStateSpace(module));
  HeadWeights weights;
  const uint64_t matrices = sizes.channels * sizes.selected();
  TG_ASSIGN(weights.choice, module.ReadVector("x_proj_weight", matrices));
  TG_ASSIGN(weights.steps, module.ReadVector("dt_proj_weight", sizes.channels * sizes.step_size));
  TG_ASSIGN(weights.step_bias, module.ReadVector("dt_proj_bias", sizes.channels));
  TG_ASSIGN(auto inputs, InputsAndGates(module, sizes, rows));
  FloatMatrix& channels = inputs.first;
  TG_ASSIGN(const auto convolution, ReadCausalConvolution(module, "conv1d", sizes.channels));
  convolution.Apply(channels, 0, sequence_length);
  Activate(Activation::kSilu, channels.values());

  FloatMatrix steps(rows.rows(), sizes.channels);
  const size_t size = sizes.head_size();
  for (size_t head = 0; head < sizes.heads; ++head) {
    const Selection selection = Select(sizes, weights, head, channels);
    ApplyHead(std::span(weights.steps).subspan(head * size * sizes.step_size),
              std::span(weights.step_bias).subspan(head * size, size), selection.step, 0,
              sizes.step_size, steps, head * size, size);
    for (size_t row = 0; row < steps.rows(); ++row) {
      for (float& step : steps.Row(row).subspan(head * size, size)) step = Softplus(step);
    }
    for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
      for (size_t channel = head * size; channel < (head + 1) * size; ++channel) {
        ScanChannel(space, channel, steps, {selection.in, selection.out}, begin, sequence_length,
                    channels);
      }
    }
  }
  MultiplyByGates(Activation::kSilu, std::move(inputs.second), channels);
  return module.Apply("out_proj", channels, rows.columns());
}

}  // namespace tensorguard::internal
