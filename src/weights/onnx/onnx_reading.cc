#include "weights/onnx/onnx_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "weights/elements/element_types.h"
#include "weights/onnx/onnx_claims.h"
#include "weights/onnx/onnx_graph.h"
#include "weights/onnx/onnx_name_forms.h"
#include "weights/onnx/onnx_parameter_names.h"
#include "weights/onnx/onnx_quantised.h"

namespace tensorguard::internal {
namespace {

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Reader {
 public:
  Reader(const OnnxModel& model, const OnnxSource& source)
      : model_(model), source_(source), graph_(model), claims_(model) {
    differences_ = GainsAreDifferences(source.model_type);
  }

  Result<std::vector<OnnxWeight>> Read() {
    for (const OnnxNode& node : model_.nodes) {
      TG_TRY(ReadNode(node));
    }
    for (const OnnxNode& node : model_.nodes) NameByModule(node);
    for (const OnnxNode& node : model_.nodes) AddAliases(node);
    TG_TRY(AddRest());
    if (source_.tied_head) claims_.DropTiedHead();
    return claims_.Settle();
  }

 private:
  const OnnxTensor& Tensor(size_t index) const { return model_.tensors[index]; }

  Result<void> ReadNode(const OnnxNode& node) {
    const std::string& op = node.op_type;
    if (IsOneOf(op, {"MatMul", "Gemm", "FusedMatMul"})) {
      const bool swaps = node.Number("transB", 0) != 0;
      return ReadProduct(node, swaps);
    }
    if (IsOneOf(op, {"Gather", "MatMulInteger", "ConvInteger", "DynamicQuantizeMatMul",
                     "MatMulIntegerToFloat", "QLinearMatMul", "QGemm", "DequantizeLinear"})) {
      return ReadQuantisedOrTable(node);
    }
    if (op == "MatMulNBits" || op == "GatherBlockQuantized") return ReadBlocks(node);
    if (op == "Attention" || op == "QAttention") return ReadFusedAttention(node);
    if (op == "MatMulBnb4" && graph_.TensorOf(node, 1)) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "weights of MatMulBnb4 are not read",
                   .tensor = Tensor(*graph_.TensorOf(node, 1)).name,
                   .advice = "use the model in another precision"};
    }
    if (op == "GroupQueryAttention") SetAside(node, 7, 2);
    if (op == "RotaryEmbedding") SetAside(node, 2, 2);
    return {};
  }

  // Tables of a rotary embedding are no parameters.
  void SetAside(const OnnxNode& node, size_t first_input, size_t inputs) {
    for (size_t i = first_input; i < first_input + inputs; ++i) {
      if (const auto tensor = graph_.TensorOf(node, i)) claims_.SetAside(*tensor);
    }
  }

  Result<void> ReadProduct(const OnnxNode& node, bool swaps) {
    const auto operand = graph_.OperandOf(node, 1);
    if (!operand || Tensor(operand->tensor).shape.size() != 2) return {};
    const bool inputs_first = operand->transposed == swaps;
    const auto naming = NameOfProduct(graph_, node, operand->tensor, inputs_first);
    if (operand->dequantised != nullptr) {
      const auto codes = CodesOf(graph_, *operand->dequantised);
      if (!codes) return codes.error();
      return *codes ? AddDequantised(**codes, naming) : Result<void>();
    }
    if (!naming || !IsOnnxFloat(Tensor(operand->tensor).dtype)) return {};
    const OnnxTensor& stored = Tensor(operand->tensor);
    if (naming->transposed && stored.element_count != 0) {
      claims_.Add(claims_.Transposed(operand->tensor, naming->name, 0, stored.shape[1]),
                  naming->named_by_file);
    } else {
      claims_.Add(claims_.Stored(operand->tensor, naming->name), naming->named_by_file);
    }
    return {};
  }

  Result<void> AddDequantised(const OnnxCodes& codes,
                              const std::optional<OnnxParameterName>& naming) {
    claims_.SetAside(codes.scales);
    if (codes.zeros) claims_.SetAside(*codes.zeros);
    auto weight = DequantisedWeight(model_, codes, naming && naming->transposed);
    if (!weight) return std::move(weight).error().InTensor(Tensor(codes.codes).name);
    weight->name = naming ? naming->name : std::string(PlainOnnxName(Tensor(codes.codes).name));
    claims_.Add(*std::move(weight), !naming || naming->named_by_file);
    return {};
  }

  Result<void> ReadQuantisedOrTable(const OnnxNode& node) {
    if (node.op_type == "Gather") return ReadTable(node);
    TG_ASSIGN(const auto codes, CodesOf(graph_, node));
    if (!codes) return {};
    const size_t tensor = codes->codes;
    if (node.op_type == "DequantizeLinear") {
      // Of products the product tells the name, of tables the table.
      return IsReadByProduct(node) ? Result<void>()
                                   : AddDequantised(*codes, NameOfTable(graph_, node, tensor));
    }
    if (node.op_type == "ConvInteger") return AddDequantised(*codes, {});
    const bool swaps = node.op_type == "QGemm" && node.Number("transB", 0) != 0;
    if (Tensor(tensor).shape.size() != 2) return {};
    return AddDequantised(*codes, NameOfProduct(graph_, node, tensor, !swaps));
  }

  // Through what OperandOf goes back.
  bool IsReadByProduct(const OnnxNode& node) const {
    const OnnxNode* at = &node;
    for (int step = 0; step < 4; ++step) {
      const auto users = graph_.UsersOf(*at);
      if (users.empty()) return false;
      const OnnxNode& user = model_.nodes[users[0]];
      if (IsOneOf(user.op_type, {"MatMul", "Gemm", "FusedMatMul"})) {
        const auto operand = graph_.OperandOf(user, 1);
        return operand && operand->dequantised == &node &&
               Tensor(operand->tensor).shape.size() == 2;
      }
      if (!IsOneOf(user.op_type, {"Transpose", "Cast", "Identity"})) return false;
      at = &user;
    }
    return false;
  }

  // An embedding. Codes are gathered first and dequantised afterwards.
  Result<void> ReadTable(const OnnxNode& node) {
    const auto operand = graph_.OperandOf(node, 0);
    if (!operand || operand->transposed || Tensor(operand->tensor).shape.size() != 2) return {};
    const auto naming = NameOfTable(graph_, node, operand->tensor);
    const OnnxTensor& stored = Tensor(operand->tensor);
    if (operand->dequantised != nullptr) return {};  // named when that is read
    const auto users = graph_.UsersOf(node);
    const OnnxNode* user = users.empty() ? nullptr : &model_.nodes[users[0]];
    if (!IsOnnxFloat(stored.dtype) && user != nullptr && user->op_type == "DequantizeLinear") {
      const auto scales = graph_.TensorOf(*user, 1);
      if (!scales || Tensor(*scales).element_count != 1) {
        return Error{.kind = ErrorKind::kUnsupported,
                     .problem = "scales of a quantised table are not one for all",
                     .tensor = stored.name};
      }
      return AddDequantised(
          {.codes = operand->tensor, .scales = *scales, .zeros = graph_.TensorOf(*user, 2)},
          naming);
    }
    if (naming && IsOnnxFloat(stored.dtype))
      claims_.Add(claims_.Stored(operand->tensor, naming->name), naming->named_by_file);
    return {};
  }

  Result<void> ReadBlocks(const OnnxNode& node) {
    const bool product = node.op_type == "MatMulNBits";
    const auto codes = graph_.TensorOf(node, product ? 1 : 0);
    if (!codes) return {};
    auto weight = product ? MatMulNBitsWeight(graph_, node, *codes)
                          : GatherBlockQuantizedWeight(graph_, node, *codes);
    if (!weight) return std::move(weight).error().InTensor(Tensor(*codes).name);
    SetAside(node, 2, 2);
    const auto own = NameByFile(Tensor(*codes).name);
    const auto module = product ? ModuleOfProduct(graph_, node) : ModuleOfNode(node.name);
    if (own) {
      weight->name = *own;
    } else if (module) {
      weight->name = HubNameOfBuilder(*module + ".weight");
    } else {
      weight->name = std::string(PlainOnnxName(Tensor(*codes).name));
    }
    claims_.Add(*std::move(weight), own.has_value());
    return {};
  }

  // Query, key and value in one matrix [inputs, outputs], which the names of the output projection
  // behind it tell.
  Result<void> ReadFusedAttention(const OnnxNode& node) {
    const auto tensor = graph_.TensorOf(node, 1);
    if (!tensor || Tensor(*tensor).shape.size() != 2) return {};
    TG_ASSIGN(const auto codes, CodesOf(graph_, node));
    const auto parts = PartsOfAttention(graph_, node);
    const uint64_t outputs = Tensor(*tensor).shape[1];
    const auto sizes = SizesOfAttention(node, outputs);
    if (codes) {
      if (parts) return AddQuantisedParts(*codes, *parts, sizes);
      return AddDequantised(*codes, {});
    }
    if (!parts || !IsOnnxFloat(Tensor(*tensor).dtype)) return {};
    const auto bias = graph_.TensorOf(node, 2);
    const bool has_bias = bias && Tensor(*bias).element_count == outputs;
    uint64_t first = 0;
    for (size_t i = 0; i < 3; first += sizes[i++]) {
      claims_.Add(claims_.Transposed(*tensor, (*parts)[i] + ".weight", first, sizes[i]), false);
      if (has_bias) AddBiasPart(*bias, (*parts)[i] + ".bias", first, sizes[i]);
    }
    return {};
  }

  void AddBiasPart(size_t tensor, std::string name, uint64_t first, uint64_t count) {
    OnnxWeight part = claims_.Stored(tensor, std::move(name));
    part.shape = {count};
    part.element_count = part.columns = part.numbers.row_stride = count;
    part.numbers.first_element = first;
    claims_.Add(std::move(part), false);
  }

  Result<void> AddQuantisedParts(const OnnxCodes& codes, const std::array<std::string, 3>& parts,
                                 const std::array<uint64_t, 3>& sizes) {
    uint64_t first = 0;
    for (size_t i = 0; i < 3; first += sizes[i++]) {
      auto weight = DequantisedWeight(model_, codes, true);
      if (!weight) return std::move(weight).error().InTensor(Tensor(codes.codes).name);
      weight->name = parts[i] + ".weight";
      weight->shape[0] = sizes[i];
      weight->element_count = sizes[i] * weight->shape[1];
      weight->numbers.first_element = first;
      // Scales are those of outputs, or one for all.
      if (weight->quantised->rows == 1) {
        weight->quantised->scales.first_element = first;
        if (weight->quantised->zeros && weight->quantised->zeros->row_stride != 0) {
          weight->quantised->zeros->first_element = first;
        }
      }
      claims_.Add(*std::move(weight), false);
    }
    claims_.SetAside(codes.scales);
    if (codes.zeros) claims_.SetAside(*codes.zeros);
    return {};
  }

  // Biases and gains whose names folding took away.
  void NameByModule(const OnnxNode& node) {
    const auto module = ModuleOfNode(node.name);
    if (!module) return;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto tensor = graph_.TensorOf(node, i);
      if (!tensor || claims_.IsTaken(*tensor) || Tensor(*tensor).shape.size() != 1 ||
          !IsOnnxFloat(Tensor(*tensor).dtype) || Tensor(*tensor).element_count < 2 ||
          NameByFile(Tensor(*tensor).name) || IsBuilderName(Tensor(*tensor).name)) {
        continue;
      }
      const std::string gain = *module + ".weight";
      if ((node.op_type == "Add" || node.op_type == "Gemm") && claims_.Has(gain)) {
        claims_.Add(claims_.Stored(*tensor, *module + ".bias"), false);
      } else if (node.op_type == "Mul" && differences_ && IsNormGain(gain)) {
        OnnxWeight weight = claims_.Stored(*tensor, gain);
        weight.added = 1;
        claims_.Add(std::move(weight), false);
      }
    }
  }

  // Exporters store equal parameters once; the others are Identity nodes with their names.
  void AddAliases(const OnnxNode& node) {
    if (node.op_type != "Identity" || node.outputs.empty()) return;
    const auto tensor = graph_.TensorOf(node, 0);
    if (!tensor || !IsOnnxFloat(Tensor(*tensor).dtype) || Tensor(*tensor).element_count < 2) return;
    const auto name = NameByFile(node.outputs[0]);
    const auto own = NameByFile(Tensor(*tensor).name);
    if (!name || !own || *name == *own) return;
    // A tied head is its embedding.
    if (Tensor(*tensor).shape.size() == 2 && name->ends_with("lm_head.weight")) return;
    claims_.AddAlias(*tensor, *name);
  }

  // What no node names.
  Result<void> AddRest() {
    const bool built =
        std::any_of(model_.tensors.begin(), model_.tensors.end(), [](const OnnxTensor& tensor) {
          return tensor.name.find(".MatMul") != std::string::npos && IsBuilderName(tensor.name);
        });
    for (size_t i = 0; i < model_.tensors.size(); ++i) {
      const OnnxTensor& tensor = Tensor(i);
      if (!claims_.IsTaken(i) && IsCodes(tensor)) {
        return Error{.kind = ErrorKind::kUnsupported,
                     .problem = "quantised tensor is used in a way that is not read",
                     .tensor = tensor.name,
                     .found = UseOf(tensor)};
      }
      if (claims_.IsTaken(i) || !IsOnnxFloat(tensor.dtype) || tensor.element_count < 2) continue;
      const std::string_view plain = PlainOnnxName(tensor.name);
      std::string name(IsMadeUpName(plain) ? std::string_view(tensor.name) : plain);
      if (built) name = HubNameOfBuilder(std::move(name));
      OnnxWeight weight = claims_.Stored(i, name);
      if (built && differences_ && tensor.shape.size() == 1 && IsNormGain(name)) weight.added = 1;
      claims_.Add(std::move(weight), true);
    }
    return {};
  }

  // Bytes and half bytes of two dimensions: nothing else than weights are stored so.
  static bool IsCodes(const OnnxTensor& tensor) {
    return (tensor.dtype == DType::kU8 || tensor.dtype == DType::kI8) && tensor.shape.size() >= 2 &&
           tensor.element_count > 1;
  }

  std::string UseOf(const OnnxTensor& tensor) const {
    for (const OnnxNode& node : model_.nodes) {
      const auto& inputs = node.inputs;
      if (std::find(inputs.begin(), inputs.end(), tensor.name) != inputs.end()) {
        return fmt::format("node {} ({})", node.name, node.op_type);
      }
    }
    return "no node that uses it";
  }

  const OnnxModel& model_;
  const OnnxSource& source_;
  OnnxGraphIndex graph_;
  OnnxClaims claims_;
  bool differences_ = false;
};

}  // namespace

Result<std::vector<OnnxWeight>> FindOnnxWeights(const OnnxModel& model, const OnnxSource& source) {
  return Reader(model, source).Read();
}

}  // namespace tensorguard::internal
