// From an ONNX model's graph to the weights of the model that was exported.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_READING_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_READING_H_

#include <string>
#include <vector>

#include "formats/onnx/onnx.h"
#include "tensorguard/result.h"
#include "weights/onnx/onnx_single_weight.h"

namespace tensorguard::internal {

// What config.json says; it decides where names and graph do not.
struct OnnxSource {
  std::string model_type = {};  // empty: not known
  bool tied_head = false;       // the output head is the embedding
};

// The parameters, with the names and in the order of rows and columns that they had before the
// export: initialisers that kept their names as they are; what an exporter transposed, folded,
// fused or quantised by the nodes that use it. What nothing tells keeps the initialiser's name.
// Names are unique; integers, flags and single numbers that no node takes as a weight are no
// parameters. Errors: kUnsupported and kBadFile, with the tensor, for quantised weights that cannot
// be read.
Result<std::vector<OnnxWeight>> FindOnnxWeights(const OnnxModel& model, const OnnxSource& source);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_READING_H_
