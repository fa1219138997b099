#include "network/recurrent/gated_linear_recurrence.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/named_module.h"
#include "network/recurrent/causal_convolution.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 2> kActivationKeys = {"hidden_activation", "hidden_act"};
constexpr double kSharpness = 8;  // of the recurrent gate: the paper's constant c

// sigmoid(x W + b), W in square blocks on the diagonal. [n, width].
Result<FloatMatrix> Gates(const NamedModule& module, std::string_view member,
                          const FloatMatrix& rows) {
  const std::string name = fmt::format("rg_lru.{}_weight", member);
  TG_ASSIGN(const auto weight, module.Require(name));
  const auto& shape = module.layer().source().tensors()[weight->tensor_index].shape;
  const uint64_t width = rows.columns();
  const bool blocks = shape.size() == 3 && shape[1] == shape[2] && shape[1] > 0 &&
                      width % shape[1] == 0 && shape[0] == width / shape[1];
  if (!blocks) {
    return ContradictoryPart(module.layer(), *weight, "is not made of square blocks",
                             fmt::format("{} dimensions", shape.size()),
                             fmt::format("blocks for {} columns", width));
  }
  TG_ASSIGN(const auto values, module.ReadVector(name, shape[0] * shape[1] * shape[2]));
  TG_ASSIGN(const auto bias, module.ReadVector(fmt::format("rg_lru.{}_bias", member), width));
  const size_t size = shape[1];
  FloatMatrix gates(rows.rows(), width);
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t column = 0; column < width; ++column) {
      const size_t first = column / size * size;  // of the block
      double sum = bias[column];
      for (size_t i = 0; i < size; ++i) {
        sum += double{rows.Row(row)[first + i]} * values[(first + i) * size + column % size];
      }
      gates.Row(row)[column] = Sigmoid(static_cast<float>(sum));
    }
  }
  return gates;
}

// x becomes h, column by column.
void Recur(const std::vector<float>& rates, const FloatMatrix& input_gates,
           const FloatMatrix& recurrent_gates, size_t sequence_length, FloatMatrix& values) {
  for (size_t column = 0; column < values.columns(); ++column) {
    const double rate = -kSharpness * Softplus(rates[column]);
    double state = 0;
    for (size_t t = 0; t < values.rows(); ++t) {
      const double gated = double{values.Row(t)[column]} * input_gates.Row(t)[column];
      const double exponent = rate * recurrent_gates.Row(t)[column];
      state = t % sequence_length == 0
                  ? gated
                  : std::exp(exponent) * state + std::sqrt(-std::expm1(2 * exponent)) * gated;
      values.Row(t)[column] = static_cast<float>(state);
    }
  }
}

}  // namespace

Result<FloatMatrix> RunGatedLinearRecurrence(const LayerParts& layer, const ConfigView& config,
                                             const FloatMatrix& rows, size_t sequence_length) {
  const auto module =
      NamedModule::Holding(layer, "rg_lru.recurrent_param").value_or(NamedModule(layer, ""));
  auto values = module.Apply("linear_x", rows);
  if (!values) return values;
  const uint64_t width = values->columns();
  TG_ASSIGN(const auto convolution, ReadCausalConvolution(module, "conv_1d", width));
  convolution.Apply(*values, 0, sequence_length);

  TG_ASSIGN(const auto input_gates, Gates(module, "input_gate", *values));
  TG_ASSIGN(const auto recurrent_gates, Gates(module, "recurrent_gate", *values));
  TG_ASSIGN(const auto rates, module.ReadVector("rg_lru.recurrent_param", width));
  Recur(rates, input_gates, recurrent_gates, sequence_length, *values);

  auto output_gates = module.Apply("linear_y", rows, width);
  if (!output_gates) return output_gates;
  const auto activation = ParseActivation(config.Text(kActivationKeys).value_or(""));
  MultiplyByGates(activation.value_or(Activation::kGeluTanh), *std::move(output_gates), *values);
  return module.Apply("linear_out", *values, rows.columns());
}

}  // namespace tensorguard::internal
