#include "weights/onnx/onnx_graph.h"

#include "weights/onnx/onnx_name_forms.h"

namespace tensorguard::internal {
namespace {

// Between a stored tensor and its use, and between a product and its bias.
constexpr int kMostSteps = 8;

bool SwapsMatrix(const OnnxNode& node) {
  const auto order = node.lists.find("perm");
  return order == node.lists.end() || order->second == std::vector<int64_t>{1, 0};
}

}  // namespace

OnnxGraphIndex::OnnxGraphIndex(const OnnxModel& model)
    : model_(&model),
      tensors_(model.graphs.size()),
      makers_(model.graphs.size()),
      users_(model.graphs.size()) {
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    tensors_[model.tensors[i].graph].emplace(model.tensors[i].name, i);
  }
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const OnnxNode& node = model.nodes[i];
    for (const std::string& output : node.outputs) makers_[node.graph].emplace(output, i);
    for (const std::string& input : node.inputs) {
      if (!input.empty()) users_[node.graph][input].push_back(i);
    }
  }
}

std::optional<size_t> OnnxGraphIndex::FindTensor(size_t graph, std::string_view name) const {
  for (std::optional<size_t> at = graph; at; at = model_->graphs[*at].outer) {
    const auto found = tensors_[*at].find(name);
    if (found != tensors_[*at].end()) return found->second;
    if (makers_[*at].contains(name)) return {};
  }
  return {};
}

std::optional<size_t> OnnxGraphIndex::TensorOf(const OnnxNode& node, size_t index) const {
  const std::string& name = node.Input(index);
  return name.empty() ? std::nullopt : FindTensor(node.graph, name);
}

const OnnxNode* OnnxGraphIndex::MakerOf(size_t graph, std::string_view name) const {
  for (std::optional<size_t> at = graph; at; at = model_->graphs[*at].outer) {
    const auto found = makers_[*at].find(name);
    if (found != makers_[*at].end()) return &model_->nodes[found->second];
  }
  return nullptr;
}

std::optional<OnnxOperand> OnnxGraphIndex::OperandOf(const OnnxNode& node, size_t index) const {
  OnnxOperand operand;
  const OnnxNode* at = &node;
  for (int step = 0; step < kMostSteps; ++step) {
    const std::string& name = at->Input(index);
    if (name.empty()) return {};
    if (const auto tensor = FindTensor(at->graph, name)) {
      operand.tensor = *tensor;
      return operand;
    }
    // What is done to codes before they are dequantised is not followed.
    if (operand.dequantised != nullptr) return {};
    at = MakerOf(at->graph, name);
    index = 0;
    if (at == nullptr) return {};
    if (at->op_type == "Transpose" && SwapsMatrix(*at)) {
      operand.transposed = !operand.transposed;
    } else if (at->op_type == "DequantizeLinear") {
      operand.dequantised = at;
    } else if (at->op_type != "Identity" && at->op_type != "Cast") {
      return {};
    }
  }
  return {};
}

std::span<const size_t> OnnxGraphIndex::UsersOf(const OnnxNode& node) const {
  if (node.outputs.empty()) return {};
  const auto found = users_[node.graph].find(node.outputs[0]);
  if (found == users_[node.graph].end()) return {};
  return found->second;
}

std::optional<std::string> OnnxGraphIndex::ModuleByBias(const OnnxNode& node) const {
  const OnnxNode* at = &node;
  for (int step = 0; step < kMostSteps; ++step) {
    const auto users = UsersOf(*at);
    if (users.size() != 1) return {};
    const OnnxNode& user = model_->nodes[users[0]];
    const std::string& op = user.op_type;
    size_t bias = 0;
    if (op == "Add") {
      bias = user.Input(0) == at->outputs[0] ? 1 : 0;
    } else if (op == "BiasGelu" || op == "FastGelu") {
      bias = 1;
    } else if (op == "SkipLayerNormalization") {
      bias = 4;
    } else if (node.op_type == "MatMulInteger" && (op == "Cast" || op == "Mul")) {
      at = &user;
      continue;
    } else {
      return {};
    }
    const auto tensor = TensorOf(user, bias);
    if (!tensor) return {};
    const std::string_view name = PlainOnnxName(model_->tensors[*tensor].name);
    if (IsMadeUpName(name) || !name.ends_with(".bias")) return {};
    return std::string(name.substr(0, name.size() - 5));
  }
  return {};
}

}  // namespace tensorguard::internal
