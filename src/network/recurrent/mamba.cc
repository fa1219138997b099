#include "network/recurrent/mamba.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "network/parts/activation.h"
#include "network/parts/gate_functions.h"
#include "network/parts/matrix_columns.h"
#include "network/parts/named_module.h"
#include "network/parts/norm.h"
#include "network/recurrent/causal_convolution.h"
#include "network/recurrent/selective_scan.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 2> kGainEpsilonKeys = {"rms_norm_eps", "layer_norm_epsilon"};
constexpr std::array<std::string_view, 1> kPlainEpsilonKeys = {"mixer_rms_eps"};  // Falcon Mamba

// What x_proj makes of the channels' inputs, [n, size] each.
struct Selection {
  FloatMatrix step;  // narrow: before dt_proj
  FloatMatrix in;    // B
  FloatMatrix out;   // C
};

// A norm with a gain (Jamba) or, where the config names its epsilon, without (Falcon Mamba).
Result<void> NormaliseSelection(const NamedModule& module, const ConfigView& config,
                                std::string_view member, FloatMatrix& rows) {
  Norm norm = {.source = &module.layer().source(), .kind = NormKind::kRms};
  norm.gain = module.Find(member);
  if (norm.gain != nullptr) {
    norm.epsilon = config.Real(kGainEpsilonKeys).value_or(1e-6);
  } else if (const auto epsilon = config.Real(kPlainEpsilonKeys)) {
    norm.epsilon = *epsilon;
  } else {
    return {};
  }
  TG_ASSIGN(auto normalised, norm.Apply(std::move(rows)));
  rows = std::move(normalised);
  return {};
}

Result<Selection> Select(const NamedModule& module, const ConfigView& config,
                         const FloatMatrix& channels, uint64_t state_size) {
  TG_ASSIGN(const auto step_map, module.RequireMap("dt_proj"));
  const uint64_t step_size = step_map.inputs();
  TG_ASSIGN(auto mixed, module.Apply("x_proj", channels, step_size + 2 * state_size));
  Selection selection = {.step = Columns(mixed, 0, step_size),
                         .in = Columns(mixed, step_size, state_size),
                         .out = Columns(mixed, step_size + state_size, state_size)};
  for (const auto& [member, part] : {std::pair{"dt_layernorm.weight", &selection.step},
                                     std::pair{"b_layernorm.weight", &selection.in},
                                     std::pair{"c_layernorm.weight", &selection.out}}) {
    TG_TRY(NormaliseSelection(module, config, member, *part));
  }
  return selection;
}

}  // namespace

Result<FloatMatrix> RunMamba(const LayerParts& layer, const ConfigView& config,
                             const FloatMatrix& rows, size_t sequence_length) {
  const auto module = NamedModule::Holding(layer, "A_log").value_or(NamedModule(layer, ""));
  TG_ASSIGN(const auto space, ReadStateSpace(module));
  TG_ASSIGN(const auto inputs_and_gates, module.Apply("in_proj", rows, 2 * space.channels));
  FloatMatrix channels = Columns(inputs_and_gates, 0, space.channels);
  FloatMatrix gates = Columns(inputs_and_gates, space.channels, space.channels);

  TG_ASSIGN(const auto convolution, ReadCausalConvolution(module, "conv1d", space.channels));
  convolution.Apply(channels, 0, sequence_length);
  Activate(Activation::kSilu, channels.values());

  TG_ASSIGN(const auto selection, Select(module, config, channels, space.state_size));
  TG_ASSIGN(auto steps, module.Apply("dt_proj", selection.step, space.channels));
  for (float& step : steps.values()) step = Softplus(step);

  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    for (size_t channel = 0; channel < space.channels; ++channel) {
      ScanChannel(space, channel, steps, {selection.in, selection.out}, begin, sequence_length,
                  channels);
    }
  }
  MultiplyByGates(Activation::kSilu, std::move(gates), channels);
  return module.Apply("out_proj", channels, rows.columns());
}

}  // namespace tensorguard::internal
