// Who makes and who uses each value of an ONNX model's graphs.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_GRAPH_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_GRAPH_H_

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/onnx.h"

namespace tensorguard::internal {

// A stored tensor, and what nodes do to it before it is used.
struct OnnxOperand {
  size_t tensor = 0;
  bool transposed = false;                // a matrix, between its file and its use
  const OnnxNode* dequantised = nullptr;  // the DequantizeLinear that reads it
};

class OnnxGraphIndex {
 public:
  // `model` must outlive the index.
  explicit OnnxGraphIndex(const OnnxModel& model);

  const OnnxModel& model() const { return *model_; }

  // The tensor of this name that nodes of `graph` see.
  std::optional<size_t> FindTensor(size_t graph, std::string_view name) const;

  // Input `index` of `node`, if it is a tensor as it is stored.
  std::optional<size_t> TensorOf(const OnnxNode& node, size_t index) const;

  // The same through Identity, Cast, Transpose of a matrix and DequantizeLinear.
  std::optional<OnnxOperand> OperandOf(const OnnxNode& node, size_t index) const;

  // The node that makes the value, or null.
  const OnnxNode* MakerOf(size_t graph, std::string_view name) const;

  // Nodes of the same graph that use the node's first output, in the model's order.
  std::span<const size_t> UsersOf(const OnnxNode& node) const;

  // "X" if what the node gives is added to a bias whose name is "X.bias", whichever operator adds.
  std::optional<std::string> ModuleByBias(const OnnxNode& node) const;

 private:
  using Names = std::map<std::string_view, size_t>;

  const OnnxModel* model_;
  std::vector<Names> tensors_;  // by graph
  std::vector<Names> makers_;
  std::vector<std::map<std::string_view, std::vector<size_t>>> users_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_GRAPH_H_
