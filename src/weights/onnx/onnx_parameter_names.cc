#include "weights/onnx/onnx_parameter_names.h"

#include "weights/onnx/onnx_name_forms.h"

namespace tensorguard::internal {

std::optional<std::string> ModuleOfProduct(const OnnxGraphIndex& graph, const OnnxNode& node) {
  const auto module = ModuleOfNode(node.name);
  return module ? module : graph.ModuleByBias(node);
}

std::optional<std::string> NameByFile(std::string_view initialiser) {
  const std::string_view name = PlainOnnxName(initialiser);
  if (IsMadeUpName(name) || IsBuilderName(name)) return {};
  return std::string(name);
}

std::optional<OnnxParameterName> NameOfProduct(const OnnxGraphIndex& graph, const OnnxNode& node,
                                               size_t tensor, bool inputs_first) {
  const auto own = NameByFile(graph.model().tensors[tensor].name);
  const auto module = ModuleOfProduct(graph, node);
  if (own) {
    // onnxruntime's quantiser makes a Gemm a MatMul and transposes its weight under its name.
    const size_t slash = node.name.rfind('/');
    const bool was_gemm = node.op_type != "Gemm" && slash != std::string::npos &&
                          std::string_view(node.name).substr(slash + 1).starts_with("Gemm");
    const bool swapped =
        was_gemm && inputs_first && module && *own == *module + ".weight" && !IsConv1dName(*own);
    return OnnxParameterName{*own, swapped, true};
  }
  if (!module) return {};
  return OnnxParameterName{HubNameOfBuilder(*module + ".weight"), inputs_first, false};
}

std::optional<OnnxParameterName> NameOfTable(const OnnxGraphIndex& graph, const OnnxNode& node,
                                             size_t tensor) {
  if (const auto own = NameByFile(graph.model().tensors[tensor].name))
    return OnnxParameterName{*own, false, true};
  const auto users = graph.UsersOf(node);
  const OnnxNode& user = users.size() == 1 && graph.model().nodes[users[0]].op_type == "Gather"
                             ? graph.model().nodes[users[0]]
                             : node;
  const auto module = ModuleOfNode(user.name);
  if (user.op_type != "Gather" || !module) return {};
  return OnnxParameterName{*module + ".weight", false, false};
}

std::optional<std::array<std::string, 3>> PartsOfAttention(const OnnxGraphIndex& graph,
                                                           const OnnxNode& node) {
  const auto users = graph.UsersOf(node);
  for (const size_t user : users) {
    const OnnxNode& next = graph.model().nodes[user];
    if (next.op_type.find("MatMul") == std::string::npos && next.op_type != "Gemm") continue;
    const auto operand = graph.OperandOf(next, 1);
    auto module = ModuleOfProduct(graph, next);
    if (operand) {
      const auto own = NameByFile(graph.model().tensors[operand->tensor].name);
      if (own && own->ends_with(".weight")) module = own->substr(0, own->size() - 7);
    }
    if (module) return QueryKeyValueBeside(*module);
  }
  return {};
}

std::array<uint64_t, 3> SizesOfAttention(const OnnxNode& node, uint64_t outputs) {
  const auto stated = node.lists.find("qkv_hidden_sizes");
  if (stated != node.lists.end() && stated->second.size() == 3) {
    std::array<uint64_t, 3> sizes;
    uint64_t all = 0;
    for (size_t i = 0; i < 3; ++i) {
      sizes[i] = static_cast<uint64_t>(stated->second[i]);
      if (sizes[i] == 0 || sizes[i] > outputs) return {outputs / 3, outputs / 3, outputs / 3};
      all += sizes[i];
    }
    if (all == outputs) return sizes;
  }
  return {outputs / 3, outputs / 3, outputs / 3};
}

}  // namespace tensorguard::internal
