#include "network/recurrent/causal_convolution.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {

void CausalConvolution::Apply(FloatMatrix& rows, size_t first, size_t sequence_length) const {
  for (size_t begin = 0; begin < rows.rows(); begin += sequence_length) {
    // Backwards, so that the rows that are still read hold their inputs.
    for (size_t t = sequence_length; t-- > 0;) {
      const auto out = rows.Row(begin + t).subspan(first, channels);
      for (size_t channel = 0; channel < channels; ++channel) {
        double sum = bias.empty() ? 0 : bias[channel];
        for (size_t back = 0; back < width && back <= t; ++back) {
          sum += double{taps[channel * width + width - 1 - back]} *
                 rows.Row(begin + t - back)[first + channel];
        }
        out[channel] = static_cast<float>(sum);
      }
    }
  }
}

Result<CausalConvolution> ReadCausalConvolution(const NamedModule& module, std::string_view member,
                                                uint64_t channels) {
  TG_ASSIGN(const auto weight, module.Require(fmt::format("{}.weight", member)));
  const LayerParts& layer = module.layer();
  const uint64_t numbers = layer.source().tensors()[weight->tensor_index].element_count;
  if (channels == 0 || numbers == 0 || numbers % channels != 0) {
    return ContradictoryPart(layer, *weight,
                             "has another number of channels than the mixer's other parts want",
                             fmt::format("{} numbers", numbers),
                             fmt::format("as many for each of {} channels", channels));
  }
  TG_ASSIGN(auto taps, ReadVector(layer.source(), *weight, numbers));
  TG_ASSIGN(auto bias, module.FindVector(fmt::format("{}.bias", member), channels));
  return CausalConvolution{.channels = channels,
                           .width = numbers / channels,
                           .taps = std::move(taps),
                           .bias = bias.value_or(std::vector<float>())};
}

}  // namespace tensorguard::internal
