#include "network/recurrent/short_convolution.h"

#include <utility>

#include "base/try.h"
#include "network/parts/gate_functions.h"
#include "network/parts/matrix_columns.h"
#include "network/parts/named_module.h"
#include "network/recurrent/causal_convolution.h"

namespace tensorguard::internal {

Result<FloatMatrix> RunShortConvolution(const LayerParts& layer, const ConfigView& /*config*/,
                                        const FloatMatrix& rows, size_t sequence_length) {
  const NamedModule module(layer, "conv");
  TG_ASSIGN(const auto output, module.RequireMap("out_proj"));
  const uint64_t width = output.inputs();
  TG_ASSIGN(const auto convolution, ReadCausalConvolution(module, "conv", width));
  TG_ASSIGN(const auto projected, module.Apply("in_proj", rows, 3 * width));

  FloatMatrix values = Columns(projected, 2 * width, width);
  MultiplyByGates(Activation::kIdentity, Columns(projected, 0, width), values);
  convolution.Apply(values, 0, sequence_length);
  MultiplyByGates(Activation::kIdentity, Columns(projected, width, width), values);
  return output.Apply(values);
}

}  // namespace tensorguard::internal
