#include "network/recurrent/selective_scan.h"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {

Result<StateSpace> ReadStateSpace(const NamedModule& module) {
  TG_ASSIGN(const auto weight, module.Require("A_log"));
  TG_ASSIGN(const auto output, module.RequireMap("out_proj"));
  StateSpace space = {.channels = output.inputs()};
  const LayerParts& layer = module.layer();
  const uint64_t numbers = layer.source().tensors()[weight->tensor_index].element_count;
  if (space.channels == 0 || numbers == 0 || numbers % space.channels != 0) {
    return ContradictoryPart(layer, *weight, "is no state for each input of out_proj",
                             fmt::format("{} numbers", numbers),
                             fmt::format("as many for each of {} channels", space.channels));
  }
  space.state_size = numbers / space.channels;
  TG_ASSIGN(auto rates, ReadVector(layer.source(), *weight, numbers));
  space.rates = std::move(rates);
  for (float& rate : space.rates) rate = -std::exp(rate);
  TG_ASSIGN(auto skip, module.ReadVector("D", space.channels));
  space.skip = std::move(skip);
  return space;
}

void ScanChannel(const StateSpace& space, size_t channel, const FloatMatrix& steps,
                 const StateAccess& access, size_t begin, size_t length, FloatMatrix& inputs) {
  const auto rates = std::span(space.rates).subspan(channel * space.state_size, space.state_size);
  std::vector<double> state(space.state_size, 0);
  for (size_t t = begin; t < begin + length; ++t) {
    const double step = steps.Row(t)[channel];
    float& value = inputs.Row(t)[channel];
    const auto in = access.in.Row(t);
    const auto out = access.out.Row(t);
    double sum = double{space.skip[channel]} * value;
    for (size_t i = 0; i < state.size(); ++i) {
      if (t > begin) state[i] *= std::exp(rates[i] * step);
      state[i] += step * value * in[i];
      sum += state[i] * out[i];
    }
    value = static_cast<float>(sum);
  }
}

}  // namespace tensorguard::internal
