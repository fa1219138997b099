#include "network/recurrent/matrix_lstm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/named_module.h"
#include "network/parts/norm.h"
#include "network/recurrent/recurrent_mixer.h"

namespace tensorguard::internal {
namespace {

struct Sizes {
  uint64_t heads = 0;
  uint64_t key_size = 0;
  uint64_t value_size = 0;
};

// What the projections make of the rows, heads side by side.
struct Projections {
  FloatMatrix queries;
  FloatMatrix keys;
  FloatMatrix values;
  FloatMatrix input_gates;   // before the exponential, one per head
  FloatMatrix forget_gates;  // before the sigmoid, one per head
};

double Real(const ConfigView& config, std::string_view key, double otherwise) {
  return config.Real(std::array{key}).value_or(otherwise);
}

NamedModule ModuleOf(const LayerParts& layer) {
  return NamedModule::Holding(layer, "igate_preact.weight").value_or(NamedModule(layer, ""));
}

Result<Sizes> ReadSizes(const NamedModule& module) {
  TG_ASSIGN(const auto gate, module.RequireMap("igate_preact"));
  TG_ASSIGN(const auto query, module.RequireMap("q"));
  TG_ASSIGN(const auto value, module.RequireMap("v"));
  const uint64_t heads = gate.outputs();
  const bool divide = heads > 0 && query.outputs() % heads == 0 && value.outputs() % heads == 0;
  const Sizes sizes = {heads, divide ? query.outputs() / heads : 0,
                       divide ? value.outputs() / heads : 0};
  if (sizes.key_size > 0 && sizes.value_size > 0 && sizes.key_size <= kLargestStateSide) {
    return sizes;
  }
  return ContradictoryPart(module.layer(), *query.weight,
                           "does not divide into the heads of the gates, of at most "
                           "the largest state's side",
                           fmt::format("{} rows", query.outputs()), fmt::format("{} heads", heads));
}

// c tanh(x / c), which keeps the gates from growing.
void Cap(double limit, FloatMatrix& rows) {
  if (limit <= 0) return;
  for (float& x : rows.values()) x = static_cast<float>(limit * std::tanh(x / limit));
}

Result<Projections> Project(const NamedModule& module, const Sizes& sizes, double cap,
                            const FloatMatrix& rows) {
  Projections projections;
  TG_ASSIGN(projections.queries, module.Apply("q", rows, sizes.heads * sizes.key_size));
  TG_ASSIGN(projections.keys, module.Apply("k", rows, sizes.heads * sizes.key_size));
  TG_ASSIGN(projections.values, module.Apply("v", rows, sizes.heads * sizes.value_size));
  TG_ASSIGN(projections.input_gates, module.Apply("igate_preact", rows, sizes.heads));
  TG_ASSIGN(projections.forget_gates, module.Apply("fgate_preact", rows, sizes.heads));
  Cap(cap, projections.input_gates);
  Cap(cap, projections.forget_gates);
  return projections;
}

// One sequence of one head.
void Scan(const Sizes& sizes, const Projections& projections, double epsilon, size_t head,
          size_t begin, size_t length, FloatMatrix& result) {
  const size_t keys = sizes.key_size;
  const size_t values = sizes.value_size;
  const double scale = 1 / std::sqrt(static_cast<double>(keys));
  std::vector<double> memory(keys * values, 0);
  std::vector<double> total(keys, 0);
  double largest = 0;  // logarithm that memory and total are kept relative to
  for (size_t t = begin; t < begin + length; ++t) {
    const auto query = projections.queries.Row(t).subspan(head * keys, keys);
    const auto key = projections.keys.Row(t).subspan(head * keys, keys);
    const auto value = projections.values.Row(t).subspan(head * values, values);
    const double in = projections.input_gates.Row(t)[head];
    const double kept = -double{Softplus(-projections.forget_gates.Row(t)[head])} + largest;
    const double next = std::max(kept, in);
    const double keep = std::exp(kept - next);
    const double write = std::exp(in - next);
    largest = next;
    double norm = 0;
    std::vector<double> sums(values, 0);
    for (size_t i = 0; i < keys; ++i) {
      total[i] = total[i] * keep + write * key[i];
      norm += total[i] * query[i] * scale;
      for (size_t j = 0; j < values; ++j) {
        double& cell = memory[i * values + j];
        cell = cell * keep + write * key[i] * value[j];
        sums[j] += cell * query[i] * scale;
      }
    }
    const double divisor = std::max(std::abs(norm), std::exp(-largest)) + epsilon;
    const auto out = result.Row(t).subspan(head * values, values);
    for (size_t j = 0; j < values; ++j) out[j] = static_cast<float>(sums[j] / divisor);
  }
}

}  // namespace

Result<void> CheckMatrixLstm(const LayerParts& layer, const ConfigView& /*config*/) {
  TG_TRY(ReadSizes(ModuleOf(layer)));
  return {};
}

Result<FloatMatrix> RunMatrixLstm(const LayerParts& layer, const ConfigView& config,
                                  const FloatMatrix& rows, size_t sequence_length) {
  const NamedModule module = ModuleOf(layer);
  TG_ASSIGN(const auto sizes, ReadSizes(module));
  TG_ASSIGN(const auto projections,
            Project(module, sizes, Real(config, "gate_soft_cap", 15), rows));
  FloatMatrix result(rows.rows(), sizes.heads * sizes.value_size);
  const double epsilon = Real(config, "eps", 1e-6);
  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    for (size_t head = 0; head < sizes.heads; ++head) {
      Scan(sizes, projections, epsilon, head, begin, sequence_length, result);
    }
  }
  const Norm norm = {.source = &layer.source(),
                     .kind = NormKind::kLayer,
                     .epsilon = Real(config, "norm_eps", 1e-6),
                     .gain = module.Find("multihead_norm.weight"),
                     .bias = module.Find("multihead_norm.bias"),
                     .group = sizes.value_size};
  TG_ASSIGN(auto normalised, norm.Apply(std::move(result)));
  TG_ASSIGN(auto gates, module.Apply("ogate_preact", rows, normalised.columns()));
  MultiplyByGates(Activation::kSigmoid, std::move(gates), normalised);
  return module.Apply("out_proj", normalised, rows.columns());
}

}  // namespace tensorguard::internal
