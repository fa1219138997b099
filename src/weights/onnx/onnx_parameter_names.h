// Which parameter a tensor of an ONNX model is, by its own name and by the nodes that use it.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_PARAMETER_NAMES_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_PARAMETER_NAMES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/onnx/onnx.h"
#include "weights/onnx/onnx_graph.h"

namespace tensorguard::internal {

struct OnnxParameterName {
  std::string name;
  bool transposed = false;     // the parameter is the transpose of what is stored
  bool named_by_file = false;  // by the initialiser, not by the node
};

// The parameter that an initialiser is by its own name, if that tells.
std::optional<std::string> NameByFile(std::string_view initialiser);

// The name of the module whose product `node` is.
std::optional<std::string> ModuleOfProduct(const OnnxGraphIndex& graph, const OnnxNode& node);

// The matrix of a product. `inputs_first`: what is stored is [inputs, outputs].
std::optional<OnnxParameterName> NameOfProduct(const OnnxGraphIndex& graph, const OnnxNode& node,
                                               size_t tensor, bool inputs_first);

// The table of an embedding; `node` gathers its rows, or dequantises it for one that does.
std::optional<OnnxParameterName> NameOfTable(const OnnxGraphIndex& graph, const OnnxNode& node,
                                             size_t tensor);

// Names without ".weight" of query, key and value of a fused attention, which the name of the
// output projection behind it tells.
std::optional<std::array<std::string, 3>> PartsOfAttention(const OnnxGraphIndex& graph,
                                                           const OnnxNode& node);

// How many of a fused attention's outputs are queries, keys and values.
std::array<uint64_t, 3> SizesOfAttention(const OnnxNode& node, uint64_t outputs);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_PARAMETER_NAMES_H_
