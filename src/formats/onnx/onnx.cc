#include "formats/onnx/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/try.h"
#include "formats/onnx/onnx_tensor.h"

namespace tensorguard::internal {
namespace {

// Fields of the messages that are looked into.
constexpr uint64_t kModelProducer = 2;
constexpr uint64_t kModelGraph = 7;
constexpr uint64_t kModelFunctions = 25;
constexpr uint64_t kGraphNode = 1;
constexpr uint64_t kGraphInitializer = 5;
constexpr uint64_t kGraphSparseInitializer = 15;
constexpr uint64_t kFunctionNode = 7;
constexpr uint64_t kNodeInput = 1;
constexpr uint64_t kNodeOutput = 2;
constexpr uint64_t kNodeName = 3;
constexpr uint64_t kNodeOpType = 4;
constexpr uint64_t kNodeAttribute = 5;
constexpr uint64_t kNodeDomain = 7;
constexpr uint64_t kAttributeName = 1;
constexpr uint64_t kAttributeInteger = 3;
constexpr uint64_t kAttributeTensor = 5;
constexpr uint64_t kAttributeGraph = 6;
constexpr uint64_t kAttributeIntegers = 8;
constexpr uint64_t kAttributeGraphs = 11;

// Longer lists of integers are no permutation and no axes.
constexpr size_t kMostListed = 64;

// Attributes that say how a weight is stored or used; of the others nothing is kept.
constexpr std::array kKeptAttributes =
    std::to_array<std::string_view>({"axis", "bits", "block_size", "gather_axis", "K", "N", "perm",
                                     "qkv_hidden_sizes", "quantize_axis", "transB"});

// What an attribute holds, as far as it is kept.
struct Attribute {
  std::string name;
  std::optional<int64_t> number;
  std::vector<int64_t> list;
  std::optional<ProtobufField> tensor;
};

class ModelReader {
 public:
  explicit ModelReader(const ByteSource& source) : bytes_(source) {}

  Result<OnnxModel> Read() {
    ProtobufReader reader(bytes_, 0, bytes_.size_bytes());
    model_.graphs.push_back({});
    bool has_graph = false;
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto field, budget_.Next(reader));
      Result<void> read;
      if (field.number == kModelProducer) {
        read = ReadText(field, model_.producer);
      } else if (field.number == kModelGraph) {
        if (has_graph) return Wrong(field, "ONNX model has two graphs");
        has_graph = true;
        read = ReadGraph(field, 0, 1);
      } else if (field.number == kModelFunctions) {
        read = ReadFunction(field);
      }
      if (!read) return std::move(read).error();
    }
    if (!has_graph) return Error{.problem = "file holds no ONNX graph"};
    TG_TRY(CheckNamesUnique());
    return std::move(model_);
  }

 private:
  static Error Wrong(const ProtobufField& field, std::string problem) {
    return {.problem = std::move(problem), .byte_offset = field.begin_bytes};
  }

  static Error TooMany(std::string_view what, uint64_t limit, const ProtobufField& field) {
    return {.kind = ErrorKind::kUnsupported,
            .problem = fmt::format("ONNX file holds more {} than this program reads", what),
            .byte_offset = field.begin_bytes,
            .expected = fmt::format("at most {}", limit)};
  }

  Result<void> ReadText(const ProtobufField& field, std::string& text) {
    TG_ASSIGN(auto read, budget_.TakeText(bytes_, field));
    text = std::move(read);
    return {};
  }

  Result<void> ReadGraph(const ProtobufField& message, size_t graph, size_t depth) {
    if (depth > OnnxLimits::kDepth) return TooMany("graphs in graphs", OnnxLimits::kDepth, message);
    if (auto checked = CheckOnnxField(message, ProtobufType::kBytes); !checked) return checked;
    ProtobufReader reader(bytes_, message);
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto field, budget_.Next(reader));
      Result<void> read;
      if (field.number == kGraphNode) {
        read = ReadNode(field, graph, depth);
      } else if (field.number == kGraphInitializer) {
        read = AddTensor(field, graph, {});
      } else if (field.number == kGraphSparseInitializer) {
        return Error{.kind = ErrorKind::kUnsupported,
                     .problem = "sparse initialisers are not read",
                     .byte_offset = field.begin_bytes};
      }
      if (!read) return read;
    }
    return {};
  }

  // Its inputs have names of their own, so that it sees no tensors but its own constants.
  Result<void> ReadFunction(const ProtobufField& message) {
    if (auto checked = CheckOnnxField(message, ProtobufType::kBytes); !checked) return checked;
    const size_t graph = model_.graphs.size();
    model_.graphs.push_back({});
    ProtobufReader reader(bytes_, message);
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto field, budget_.Next(reader));
      if (field.number != kFunctionNode) continue;
      auto read = ReadNode(field, graph, 1);
      if (!read) return read;
    }
    return {};
  }

  // `constant`: the name of the output of the node that holds it.
  Result<void> AddTensor(const ProtobufField& message, size_t graph,
                         const std::optional<std::string>& constant) {
    if (model_.tensors.size() == OnnxLimits::kTensors) {
      return TooMany("tensors", OnnxLimits::kTensors, message);
    }
    TG_ASSIGN(auto tensor, ReadOnnxTensor(bytes_, message, constant.has_value(), budget_));
    if (!tensor) return {};
    tensor->graph = graph;
    if (constant) tensor->name = *constant;
    if (tensor->name.empty()) return Wrong(message, "initialiser has no name");
    model_.tensors.push_back(*std::move(tensor));
    return {};
  }

  Result<void> AddName(const ProtobufField& field, std::vector<std::string>& names) {
    if (++names_of_nodes_ > OnnxLimits::kNamesOfNodes) {
      return TooMany("inputs and outputs of nodes", OnnxLimits::kNamesOfNodes, field);
    }
    names.emplace_back();
    return ReadText(field, names.back());
  }

  Result<void> ReadNode(const ProtobufField& message, size_t graph, size_t depth) {
    if (auto checked = CheckOnnxField(message, ProtobufType::kBytes); !checked) return checked;
    OnnxNode node;
    node.graph = graph;
    std::vector<ProtobufField> attributes;
    ProtobufReader reader(bytes_, message);
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto field, budget_.Next(reader));
      auto read = ReadNodeField(field, node, attributes);
      if (!read) return read;
    }
    // After the names: a constant is called as its node's output.
    for (const ProtobufField& field : attributes) {
      auto read = ReadAttribute(field, depth, node);
      if (!read) return read;
    }
    if (node.inputs.empty() && node.outputs.empty()) {
      return Wrong(message, "node of the graph has neither inputs nor outputs");
    }
    if (model_.nodes.size() == OnnxLimits::kNodes) {
      return TooMany("nodes", OnnxLimits::kNodes, message);
    }
    model_.nodes.push_back(std::move(node));
    return {};
  }

  Result<void> ReadNodeField(const ProtobufField& field, OnnxNode& node,
                             std::vector<ProtobufField>& attributes) {
    switch (field.number) {
      case kNodeInput:
        return AddName(field, node.inputs);
      case kNodeOutput:
        return AddName(field, node.outputs);
      case kNodeName:
        return ReadText(field, node.name);
      case kNodeOpType:
        return ReadText(field, node.op_type);
      case kNodeDomain:
        return ReadText(field, node.domain);
      case kNodeAttribute:
        if (++names_of_nodes_ > OnnxLimits::kNamesOfNodes) {
          return TooMany("attributes of nodes", OnnxLimits::kNamesOfNodes, field);
        }
        attributes.push_back(field);
        return CheckOnnxField(field, ProtobufType::kBytes);
      default:
        return {};
    }
  }

  Result<void> ReadAttribute(const ProtobufField& message, size_t depth, OnnxNode& node) {
    Attribute attribute;
    ProtobufReader reader(bytes_, message);
    while (!reader.AtEnd()) {
      TG_ASSIGN(const auto field, budget_.Next(reader));
      auto read = ReadAttributeField(field, depth, node.graph, attribute);
      if (!read) return read;
    }
    if (attribute.tensor && attribute.name == "value" && node.op_type == "Constant" &&
        node.domain.empty() && !node.outputs.empty()) {
      auto added = AddTensor(*attribute.tensor, node.graph, node.outputs[0]);
      if (!added) return added;
    }
    const bool is_kept = std::find(kKeptAttributes.begin(), kKeptAttributes.end(),
                                   attribute.name) != kKeptAttributes.end();
    if (!is_kept) return {};
    if (attribute.number) node.numbers.emplace(attribute.name, *attribute.number);
    if (!attribute.list.empty()) node.lists.emplace(attribute.name, std::move(attribute.list));
    return {};
  }

  Result<void> ReadAttributeField(const ProtobufField& field, size_t depth, size_t graph,
                                  Attribute& attribute) {
    switch (field.number) {
      case kAttributeName:
        return ReadText(field, attribute.name);
      case kAttributeInteger:
        attribute.number = static_cast<int64_t>(field.number_value);
        return CheckOnnxField(field, ProtobufType::kVarint);
      case kAttributeTensor:
        // Protobuf merges the two.
        if (attribute.tensor) return Wrong(field, "attribute holds two tensors");
        attribute.tensor = field;
        return CheckOnnxField(field, ProtobufType::kBytes);
      case kAttributeIntegers:
        return AddIntegers(field, attribute.list);
      case kAttributeGraph:
      case kAttributeGraphs:
        if (model_.graphs.size() == OnnxLimits::kNodes) {
          return TooMany("graphs", OnnxLimits::kNodes, field);
        }
        model_.graphs.push_back({.outer = graph});
        return ReadGraph(field, model_.graphs.size() - 1, depth + 1);
      default:
        return {};
    }
  }

  Result<void> AddIntegers(const ProtobufField& field, std::vector<int64_t>& list) {
    if (field.type == ProtobufType::kVarint) {
      if (list.size() < kMostListed) list.push_back(static_cast<int64_t>(field.number_value));
      return {};
    }
    if (auto checked = CheckOnnxField(field, ProtobufType::kBytes); !checked) return checked;
    ProtobufReader reader(bytes_, field);
    while (!reader.AtEnd() && list.size() < kMostListed) {
      TG_ASSIGN(const auto number, reader.TakeVarint());
      list.push_back(static_cast<int64_t>(number));
    }
    return {};
  }

  Result<void> CheckNamesUnique() const {
    std::vector<std::pair<size_t, std::string_view>> names;
    names.reserve(model_.tensors.size());
    for (const OnnxTensor& tensor : model_.tensors) names.push_back({tensor.graph, tensor.name});
    std::sort(names.begin(), names.end());
    const auto twin = std::adjacent_find(names.begin(), names.end());
    if (twin == names.end()) return {};
    return Error{.problem = "initialiser is there twice", .tensor = std::string(twin->second)};
  }

  ProtobufBytes bytes_;
  OnnxBudget budget_;
  OnnxModel model_;
  uint64_t names_of_nodes_ = 0;
};

}  // namespace

const std::string& OnnxNode::Input(size_t index) const {
  static const std::string kNone;
  return index < inputs.size() ? inputs[index] : kNone;
}

int64_t OnnxNode::Number(std::string_view attribute, int64_t otherwise) const {
  const auto number = numbers.find(attribute);
  return number == numbers.end() ? otherwise : number->second;
}

Result<OnnxModel> ParseOnnx(const ByteSource& source) { return ModelReader(source).Read(); }

Result<OnnxModel> ReadOnnx(const File& file) {
  std::string start(std::min<uint64_t>(file.size_bytes(), 64), '\0');
  auto read = file.ReadAt(0, std::as_writable_bytes(std::span(start)));
  if (!read) return std::move(read).error().InFile(file.path());
  if (IsGitLfsPointer(start)) return GitLfsPointerError(file.path());
  auto model = ParseOnnx(SourceOf(file));
  if (!model) return std::move(model).error().InFile(file.path());
  return model;
}

}  // namespace tensorguard::internal
