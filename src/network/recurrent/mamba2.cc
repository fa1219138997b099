#include "network/recurrent/mamba2.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
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

constexpr std::array<std::string_view, 3> kGroupKeys = {"mamba_n_groups", "mamba_ngroups",
                                                        "n_groups"};
constexpr std::array<std::string_view, 2> kEpsilonKeys = {"layer_norm_epsilon", "rms_norm_eps"};
// Architectures that normalise each group of y by itself; the others normalise all of it.
constexpr std::array<std::string_view, 3> kGroupedNorms = {"zamba2", "nemotron_h", "falcon_h1"};

// How the columns of in_proj's result are laid out: z, then x, B, C, then dt.
struct Layout {
  uint64_t heads = 0;
  uint64_t groups = 1;
  uint64_t inner = 0;  // heads * head size
  uint64_t head_size = 0;
  uint64_t state_size = 0;
  uint64_t first = 0;  // column of z: what is before belongs to a feed-forward that nobody uses
  uint64_t columns = 0;

  uint64_t convolved() const { return inner + 2 * groups * state_size; }
  uint64_t convolved_first() const { return first + inner; }
  uint64_t steps_first() const { return first + inner + convolved(); }
};

uint64_t NumbersIn(const LayerParts& layer, const Weight& weight) {
  return layer.source().tensors()[weight.tensor_index].element_count;
}

Result<Layout> ReadLayout(const NamedModule& module, const ConfigView& config) {
  TG_ASSIGN(const auto decays, module.Require("A_log"));
  TG_ASSIGN(const auto input, module.RequireMap("in_proj"));
  TG_ASSIGN(const auto output, module.RequireMap("out_proj"));
  const auto groups = StatedNumber(config, kGroupKeys);
  if (!groups) return groups.error();

  Layout layout = {.heads = NumbersIn(module.layer(), *decays),
                   .groups = groups->value_or(1),
                   .inner = output.inputs(),
                   .columns = input.outputs()};
  if (layout.heads == 0 || layout.inner == 0 || layout.inner % layout.heads != 0) {
    return ContradictoryPart(module.layer(), *decays, "does not divide the inputs of out_proj",
                             fmt::format("{} heads", layout.heads),
                             fmt::format("a divisor of {}", layout.inner));
  }
  layout.head_size = layout.inner / layout.heads;
  if (layout.groups > layout.heads || layout.heads % layout.groups != 0) {
    return ContradictoryNumber(kGroupKeys.front(), layout.groups,
                               "(the number of groups of Mamba-2) does not divide its heads",
                               fmt::format("a divisor of {}", layout.heads));
  }
  return layout;
}

// Completes the layout by the number of channels that the convolution has.
Result<void> ReadStateSize(const NamedModule& module, Layout& layout) {
  TG_ASSIGN(const auto weight, module.Require("conv1d.weight"));
  const auto& shape = module.layer().source().tensors()[weight->tensor_index].shape;
  const uint64_t channels = shape.empty() ? 0 : shape.front();
  const bool holds_states = channels > layout.inner &&
                            (channels - layout.inner) % (2 * layout.groups) == 0 &&
                            (channels - layout.inner) / (2 * layout.groups) <= kLargestStateSide;
  if (!holds_states) {
    return ContradictoryPart(module.layer(), *weight,
                             "has another number of channels than the mixer's other parts want",
                             fmt::format("{}", channels),
                             fmt::format("{} and {} times a state's size of at most {}",
                                         layout.inner, 2 * layout.groups, kLargestStateSide));
  }
  layout.state_size = (channels - layout.inner) / (2 * layout.groups);
  const uint64_t used = layout.inner + layout.convolved() + layout.heads;
  if (layout.columns < used || (layout.columns - used) % 2 != 0) {
    TG_ASSIGN(const auto input, module.RequireMap("in_proj"));
    return ContradictoryPart(module.layer(), *input.weight,
                             "has another number of outputs than the mixer's other parts want",
                             fmt::format("{}", layout.columns), fmt::format("{}", used));
  }
  layout.first = layout.columns - used;
  return {};
}

struct HeadParameters {
  std::vector<float> rates;  // -exp(A_log)
  std::vector<float> skip;
  std::vector<float> step_bias;
  double smallest_step = 0;
  double largest_step = std::numeric_limits<double>::infinity();
};

Result<HeadParameters> ReadHeads(const NamedModule& module, const ConfigView& config,
                                 uint64_t heads) {
  HeadParameters parameters;
  for (const auto& [member, values] :
       {std::pair{"A_log", &parameters.rates}, std::pair{"D", &parameters.skip},
        std::pair{"dt_bias", &parameters.step_bias}}) {
    TG_ASSIGN(auto read, module.ReadVector(member, heads));
    *values = std::move(read);
  }
  for (float& rate : parameters.rates) rate = -std::exp(rate);
  static constexpr std::array<std::string_view, 1> kShortest = {"time_step_min"};
  // Zamba 2's library lets no step be shorter than the shortest of its training's start.
  if (config.ModelType() == "zamba2") {
    parameters.smallest_step = config.Real(kShortest).value_or(0);
  }
  // Its end is mostly infinity, which JSON cannot spell: whatever is no number is no limit.
  const Json* limit = config.Find("time_step_limit");
  if (limit != nullptr && limit->is_array() && limit->size() == 2) {
    if ((*limit)[0].is_number()) parameters.smallest_step = (*limit)[0].get<double>();
    if ((*limit)[1].is_number()) parameters.largest_step = (*limit)[1].get<double>();
  }
  return parameters;
}

// One sequence of one channel of a head; `y` [n, inner].
void Scan(const Layout& layout, const HeadParameters& heads, size_t channel,
          const FloatMatrix& projected, size_t begin, size_t length, FloatMatrix& y) {
  const size_t head = channel / layout.head_size;
  const size_t group = head / (layout.heads / layout.groups);
  const size_t in_first = layout.convolved_first() + layout.inner + group * layout.state_size;
  const size_t out_first = in_first + layout.groups * layout.state_size;
  std::vector<double> state(layout.state_size, 0);
  for (size_t t = begin; t < begin + length; ++t) {
    const auto row = projected.Row(t);
    const double step = std::min(
        std::max(double{Softplus(row[layout.steps_first() + head] + heads.step_bias[head])},
                 heads.smallest_step),
        heads.largest_step);
    const double decay = std::exp(heads.rates[head] * step);
    const double value = row[layout.convolved_first() + channel];
    double sum = heads.skip[head] * value;
    for (size_t i = 0; i < state.size(); ++i) {
      state[i] = state[i] * decay + step * value * row[in_first + i];
      sum += state[i] * row[out_first + i];
    }
    y.Row(t)[channel] = static_cast<float>(sum);
  }
}

double Factor(const ConfigView& config, std::string_view key) {
  return config.Real(std::array{key}).value_or(1);
}

// Falcon-H1: factors on z, x, B, C and dt, as in_proj puts them out.
void MultiplyParts(const ConfigView& config, const Layout& layout, FloatMatrix& projected) {
  const Json* factors = config.Find("ssm_multipliers");
  if (factors == nullptr || !factors->is_array() || factors->size() != 5) return;
  const uint64_t state = layout.groups * layout.state_size;
  const std::array<uint64_t, 5> widths = {layout.inner, layout.inner, state, state, layout.heads};
  for (size_t row = 0; row < projected.rows(); ++row) {
    uint64_t first = layout.first;
    for (size_t part = 0; part < widths.size(); ++part) {
      const float factor = (*factors)[part].is_number() ? (*factors)[part].get<float>() : 1;
      for (float& value : projected.Row(row).subspan(first, widths[part])) value *= factor;
      first += widths[part];
    }
  }
}

Result<FloatMatrix> NormaliseResult(const NamedModule& module, const ConfigView& config,
                                    const Layout& layout, FloatMatrix y) {
  const Weight* gain = module.Find("norm.weight");
  if (gain == nullptr) return y;
  const auto type = config.ModelType();
  const bool grouped = type && std::ranges::find(kGroupedNorms, *type) != kGroupedNorms.end();
  const Norm norm = {.source = &module.layer().source(),
                     .kind = NormKind::kRms,
                     .epsilon = config.Real(kEpsilonKeys).value_or(1e-5),
                     .gain = gain,
                     .group = grouped ? layout.inner / layout.groups : 0};
  return norm.Apply(std::move(y));
}

}  // namespace

Result<void> CheckMamba2(const LayerParts& layer, const ConfigView& config) {
  const auto module = NamedModule::Holding(layer, "A_log").value_or(NamedModule(layer, ""));
  TG_ASSIGN(auto layout, ReadLayout(module, config));
  return ReadStateSize(module, layout);
}

Result<FloatMatrix> RunMamba2(const LayerParts& layer, const ConfigView& config,
                              const FloatMatrix& rows, size_t sequence_length) {
  const auto module = NamedModule::Holding(layer, "A_log").value_or(NamedModule(layer, ""));
  TG_ASSIGN(auto layout, ReadLayout(module, config));
  TG_TRY(ReadStateSize(module, layout));
  TG_ASSIGN(const auto heads, ReadHeads(module, config, layout.heads));
  TG_ASSIGN(const auto convolution, ReadCausalConvolution(module, "conv1d", layout.convolved()));

  FloatMatrix inputs = rows;
  const auto factor_in = static_cast<float>(Factor(config, "ssm_in_multiplier"));
  for (float& value : inputs.values()) value *= factor_in;
  TG_ASSIGN(auto projected, module.Apply("in_proj", inputs, layout.columns));
  MultiplyParts(config, layout, projected);
  convolution.Apply(projected, layout.convolved_first(), sequence_length);
  for (size_t row = 0; row < rows.rows(); ++row) {
    Activate(Activation::kSilu,
             projected.Row(row).subspan(layout.convolved_first(), layout.convolved()));
  }

  FloatMatrix y(rows.rows(), layout.inner);
  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    for (size_t channel = 0; channel < layout.inner; ++channel) {
      Scan(layout, heads, channel, projected, begin, sequence_length, y);
    }
  }
  const bool norm_first = config.Flag("mamba_norm_before_gate").value_or(false);
  FloatMatrix gates = Columns(projected, layout.first, layout.inner);
  if (norm_first) {
    TG_ASSIGN(y, NormaliseResult(module, config, layout, std::move(y)));
  }
  MultiplyByGates(Activation::kSilu, std::move(gates), y);
  if (!norm_first) {
    TG_ASSIGN(y, NormaliseResult(module, config, layout, std::move(y)));
  }
  TG_ASSIGN(auto added, module.Apply("out_proj", y, rows.columns()));
  const auto factor_out = static_cast<float>(Factor(config, "ssm_out_multiplier"));
  for (float& value : added.values()) value *= factor_out;
  return added;
}

}  // namespace tensorguard::internal
