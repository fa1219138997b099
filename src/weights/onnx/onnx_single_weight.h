// One weight of an ONNX model: which tensors hold it, and how its numbers come of theirs.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_SINGLE_WEIGHT_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_SINGLE_WEIGHT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensorguard/result.h"
#include "weights/onnx/onnx_data.h"

namespace tensorguard::internal {

// The weight is (code - zero) * scale; each scale and zero is that of `rows` by `columns` codes.
struct OnnxScales {
  OnnxMatrix scales;
  std::optional<OnnxMatrix> zeros;
  float zero = 0;  // where there are no `zeros`
  uint64_t rows = 1;
  uint64_t columns = 1;
};

struct OnnxWeight {
  std::string name;             // that of the model that was exported
  std::vector<uint64_t> shape;  // as given out
  uint64_t element_count = 0;
  // Of rows of `columns` elements; of a weight in its stored order all is one row.
  OnnxMatrix numbers;
  uint64_t columns = 1;
  std::optional<OnnxScales> quantised;
  float added = 0;  // by the exporter, to gains that are stored as a difference from 1
};

// Elements [first_element, ...) of the weight. REQUIRES: the range is inside the weight, and its
// matrices inside their tensors. Errors: those of OnnxData::Read.
Result<void> ReadOnnxWeight(const OnnxData& data, const OnnxWeight& weight, uint64_t first_element,
                            std::span<float> out);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_SINGLE_WEIGHT_H_
