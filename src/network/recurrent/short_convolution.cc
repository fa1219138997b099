#include "network/recurrent/short_convolution.h"

#include <utility>

#include "network/parts/gate_functions.h"
#include "network/parts/matrix_columns.h"
#include "network/parts/named_module.h"
#include "network/recurrent/causal_convolution.h"

namespace tensorguard::internal {

Result<FloatMatrix> RunShortConvolution(const LayerParts& layer, const ConfigView& /*config*/,
                                        const FloatMatrix& rows, size_t sequence_length) {
  const NamedModule module(layer, "conv");
  const auto output = module.RequireMap("out_proj");
  if (!output) return output.error();
  const uint64_t width = output->inputs();
  const auto convolution = ReadCausalConvolution(module, "conv", width);
  if (!convolution) return convolution.error();
  const auto projected = module.Apply("in_proj", rows, 3 * width);
  if (!projected) return projected.error();

  FloatMatrix values = Columns(*projected, 2 * width, width);
  MultiplyByGates(Activation::kIdentity, Columns(*projected, 0, width), values);
  convolution->Apply(values, 0, sequence_length);
  MultiplyByGates(Activation::kIdentity, Columns(*projected, width, width), values);
  return output->Apply(values);
}

}  // namespace tensorguard::internal
