// Weights that an ONNX model stores as codes with scales: ONNX's own quantisation and
// onnxruntime's operators.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_QUANTISED_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_QUANTISED_H_

#include <cstdint>
#include <optional>

#include "tensorguard/result.h"
#include "weights/onnx/onnx_graph.h"
#include "weights/onnx/onnx_single_weight.h"

namespace tensorguard::internal {

// Which tensors hold a weight, by their indices, in the order in which they are stored.
struct OnnxCodes {
  size_t codes = 0;
  size_t scales = 0;
  std::optional<size_t> zeros;
  int64_t axis = 1;    // of which each element has its scale, where there are several
  uint64_t block = 0;  // elements of the axis to a scale; 0: one
};

// Codes of a DequantizeLinear, MatMulInteger, DynamicQuantizeMatMul, MatMulIntegerToFloat,
// QLinearMatMul, QGemm or QAttention node. Empty if the node is none of these or its weight is not
// stored. Errors: kUnsupported where the scales of a stored weight are not.
Result<std::optional<OnnxCodes>> CodesOf(const OnnxGraphIndex& graph, const OnnxNode& node);

// A weight without its name, as it is stored or transposed. Errors: kBadFile where the numbers of
// codes, scales and zero points do not belong together; kUnsupported for codes with scales along an
// axis of more than two dimensions.
Result<OnnxWeight> DequantisedWeight(const OnnxModel& model, const OnnxCodes& codes,
                                     bool transposed);

// The weight [outputs, inputs] of a MatMulNBits node, or the table of a GatherBlockQuantized node,
// whose tensor is `codes`. Errors: as DequantisedWeight; kUnsupported for numbers of bits other
// than 2, 4 and 8, and for permuted inputs (g_idx).
Result<OnnxWeight> MatMulNBitsWeight(const OnnxGraphIndex& graph, const OnnxNode& node,
                                     size_t codes);
Result<OnnxWeight> GatherBlockQuantizedWeight(const OnnxGraphIndex& graph, const OnnxNode& node,
                                              size_t codes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_QUANTISED_H_
