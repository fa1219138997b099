#include "weights/onnx_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "weights/element_types.h"
#include "weights/onnx_graph.h"
#include "weights/onnx_names.h"
#include "weights/onnx_quantised.h"

namespace tensorguard {
namespace {

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool IsFloat(DType dtype) {
  constexpr std::array kFloats = {DType::kF16,        DType::kBF16,      DType::kF32,
                                  DType::kF64,        DType::kF8E4M3,    DType::kF8E5M2,
                                  DType::kF8E4M3Fnuz, DType::kF8E5M2Fnuz};
  return std::find(kFloats.begin(), kFloats.end(), dtype) != kFloats.end();
}

// A weight that a node asks for, before names are held against each other.
struct Claim {
  OnnxWeight weight;
  size_t graph = 0;            // that its tensor belongs to
  bool named_by_file = false;  // by the initialiser, not by the node
};

class Reader {
 public:
  Reader(const OnnxModel& model, const OnnxSource& source)
      : model_(model), source_(source), graph_(model), taken_(model.tensors.size()) {
    differences_ = GainsAreDifferences(source.model_type);
  }

  Result<std::vector<OnnxWeight>> Read() {
    for (const OnnxNode& node : model_.nodes) {
      auto read = ReadNode(node);
      if (!read) return std::move(read).error();
    }
    for (const OnnxNode& node : model_.nodes) NameByModule(node);
    for (const OnnxNode& node : model_.nodes) AddAliases(node);
    auto rest = AddRest();
    if (!rest) return std::move(rest).error();
    DropTiedHead();
    return Settle();
  }

 private:
  const OnnxTensor& Tensor(size_t index) const { return model_.tensors[index]; }

  // A tensor as it is stored.
  OnnxWeight Stored(size_t tensor, std::string name) const {
    const OnnxTensor& stored = Tensor(tensor);
    return {.name = std::move(name),
            .shape = stored.shape,
            .element_count = stored.element_count,
            .numbers = {.tensor = tensor, .row_stride = stored.element_count},
            .columns = std::max<uint64_t>(1, stored.element_count),
            .quantised = {}};
  }

  // Rows [first, first + rows) of the transpose of a stored matrix.
  OnnxWeight Transposed(size_t tensor, std::string name, uint64_t first, uint64_t rows) const {
    const OnnxTensor& stored = Tensor(tensor);
    return {.name = std::move(name),
            .shape = {rows, stored.shape[0]},
            .element_count = rows * stored.shape[0],
            .numbers = {.tensor = tensor,
                        .first_element = first,
                        .row_stride = 1,
                        .column_stride = stored.shape[1]},
            .columns = stored.shape[0],
            .quantised = {}};
  }

  void Add(OnnxWeight weight, bool named_by_file) {
    const size_t tensor = weight.numbers.tensor;
    taken_[tensor] = true;
    claims_.push_back({std::move(weight), Tensor(tensor).graph, named_by_file});
  }

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
      if (const auto tensor = graph_.TensorOf(node, i)) taken_[*tensor] = true;
    }
  }

  // The name of the module whose product `node` is.
  std::optional<std::string> ModuleOf(const OnnxNode& node) const {
    const auto module = ModuleOfNode(node.name);
    if (!module) return graph_.ModuleByBias(node);
    // A module's second product is not that of its weight, but a shared module used again.
    return module;
  }

  // The parameter that an initialiser is by its own name, if that tells.
  static std::optional<std::string> NameByFile(std::string_view initialiser) {
    const std::string_view name = PlainOnnxName(initialiser);
    if (IsMadeUpName(name) || IsBuilderName(name)) return {};
    return std::string(name);
  }

  // Tells the weight's name and whether it is the transpose of what is stored. `inputs_first`: what
  // is stored is [inputs, outputs].
  struct Naming {
    std::string name;
    bool transposed = false;
    bool by_file = false;
  };
  std::optional<Naming> NameProduct(const OnnxNode& node, size_t tensor, bool inputs_first) const {
    const auto own = NameByFile(Tensor(tensor).name);
    const auto module = ModuleOf(node);
    if (own) {
      // onnxruntime's quantiser makes a Gemm a MatMul and transposes its weight under its name.
      const size_t slash = node.name.rfind('/');
      const bool was_gemm = node.op_type != "Gemm" && slash != std::string::npos &&
                            std::string_view(node.name).substr(slash + 1).starts_with("Gemm");
      const bool swapped =
          was_gemm && inputs_first && module && *own == *module + ".weight" && !IsConv1dName(*own);
      return Naming{*own, swapped, true};
    }
    if (!module) return {};
    return Naming{HubNameOfBuilder(*module + ".weight"), inputs_first, false};
  }

  Result<void> ReadProduct(const OnnxNode& node, bool swaps) {
    const auto operand = graph_.OperandOf(node, 1);
    if (!operand || Tensor(operand->tensor).shape.size() != 2) return {};
    const bool inputs_first = operand->transposed == swaps;
    const auto naming = NameProduct(node, operand->tensor, inputs_first);
    if (operand->dequantised != nullptr) {
      const auto codes = CodesOf(graph_, *operand->dequantised);
      if (!codes) return codes.error();
      return *codes ? AddDequantised(**codes, naming) : Result<void>();
    }
    if (!naming || !IsFloat(Tensor(operand->tensor).dtype)) return {};
    const OnnxTensor& stored = Tensor(operand->tensor);
    if (naming->transposed && stored.element_count != 0) {
      Add(Transposed(operand->tensor, naming->name, 0, stored.shape[1]), naming->by_file);
    } else {
      Add(Stored(operand->tensor, naming->name), naming->by_file);
    }
    return {};
  }

  Result<void> AddDequantised(const OnnxCodes& codes, const std::optional<Naming>& naming) {
    taken_[codes.scales] = true;
    if (codes.zeros) taken_[*codes.zeros] = true;
    auto weight = DequantisedWeight(model_, codes, naming && naming->transposed);
    if (!weight) return std::move(weight).error().InTensor(Tensor(codes.codes).name);
    weight->name = naming ? naming->name : std::string(PlainOnnxName(Tensor(codes.codes).name));
    Add(*std::move(weight), !naming || naming->by_file);
    return {};
  }

  Result<void> ReadQuantisedOrTable(const OnnxNode& node) {
    if (node.op_type == "Gather") return ReadTable(node);
    const auto codes = CodesOf(graph_, node);
    if (!codes) return codes.error();
    if (!*codes) return {};
    const size_t tensor = (*codes)->codes;
    if (node.op_type == "DequantizeLinear") {
      // Of products the product tells the name, of tables the table.
      return IsReadByProduct(node) ? Result<void>()
                                   : AddDequantised(**codes, NameOfTable(node, tensor));
    }
    if (node.op_type == "ConvInteger") return AddDequantised(**codes, {});
    const bool swaps = node.op_type == "QGemm" && node.Number("transB", 0) != 0;
    if (Tensor(tensor).shape.size() != 2) return {};
    return AddDequantised(**codes, NameProduct(node, tensor, !swaps));
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

  std::optional<Naming> NameOfTable(const OnnxNode& node, size_t tensor) const {
    if (const auto own = NameByFile(Tensor(tensor).name)) return Naming{*own, false, true};
    const auto users = graph_.UsersOf(node);
    const OnnxNode& user = users.size() == 1 && model_.nodes[users[0]].op_type == "Gather"
                               ? model_.nodes[users[0]]
                               : node;
    const auto module = ModuleOfNode(user.name);
    if (user.op_type != "Gather" || !module) return {};
    return Naming{*module + ".weight", false, false};
  }

  // An embedding. Codes are gathered first and dequantised afterwards.
  Result<void> ReadTable(const OnnxNode& node) {
    const auto operand = graph_.OperandOf(node, 0);
    if (!operand || operand->transposed || Tensor(operand->tensor).shape.size() != 2) return {};
    const auto naming = NameOfTable(node, operand->tensor);
    const OnnxTensor& stored = Tensor(operand->tensor);
    if (operand->dequantised != nullptr) return {};  // named when that is read
    const auto users = graph_.UsersOf(node);
    const OnnxNode* user = users.empty() ? nullptr : &model_.nodes[users[0]];
    if (!IsFloat(stored.dtype) && user != nullptr && user->op_type == "DequantizeLinear") {
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
    if (naming && IsFloat(stored.dtype))
      Add(Stored(operand->tensor, naming->name), naming->by_file);
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
    const auto module = product ? ModuleOf(node) : ModuleOfNode(node.name);
    if (own) {
      weight->name = *own;
    } else if (module) {
      weight->name = HubNameOfBuilder(*module + ".weight");
    } else {
      weight->name = std::string(PlainOnnxName(Tensor(*codes).name));
    }
    Add(*std::move(weight), own.has_value());
    return {};
  }

  // Query, key and value in one matrix [inputs, outputs], which the names of the output projection
  // behind it tell.
  Result<void> ReadFusedAttention(const OnnxNode& node) {
    const auto tensor = graph_.TensorOf(node, 1);
    if (!tensor || Tensor(*tensor).shape.size() != 2) return {};
    const auto codes = CodesOf(graph_, node);
    if (!codes) return codes.error();
    const auto parts = PartsOfAttention(node);
    const uint64_t outputs = Tensor(*tensor).shape[1];
    const auto sizes = SizesOfAttention(node, outputs);
    if (*codes) {
      if (parts) return AddQuantisedParts(**codes, *parts, sizes);
      return AddDequantised(**codes, {});
    }
    if (!parts || !IsFloat(Tensor(*tensor).dtype)) return {};
    const auto bias = graph_.TensorOf(node, 2);
    const bool has_bias = bias && Tensor(*bias).element_count == outputs;
    uint64_t first = 0;
    for (size_t i = 0; i < 3; first += sizes[i++]) {
      Add(Transposed(*tensor, (*parts)[i] + ".weight", first, sizes[i]), false);
      if (has_bias) AddBiasPart(*bias, (*parts)[i] + ".bias", first, sizes[i]);
    }
    return {};
  }

  void AddBiasPart(size_t tensor, std::string name, uint64_t first, uint64_t count) {
    OnnxWeight part = Stored(tensor, std::move(name));
    part.shape = {count};
    part.element_count = part.columns = part.numbers.row_stride = count;
    part.numbers.first_element = first;
    Add(std::move(part), false);
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
      Add(*std::move(weight), false);
    }
    taken_[codes.scales] = true;
    if (codes.zeros) taken_[*codes.zeros] = true;
    return {};
  }

  std::optional<std::array<std::string, 3>> PartsOfAttention(const OnnxNode& node) const {
    const auto users = graph_.UsersOf(node);
    for (const size_t user : users) {
      const OnnxNode& next = model_.nodes[user];
      if (next.op_type.find("MatMul") == std::string::npos && next.op_type != "Gemm") continue;
      const auto operand = graph_.OperandOf(next, 1);
      auto module = ModuleOf(next);
      if (operand) {
        const auto own = NameByFile(Tensor(operand->tensor).name);
        if (own && own->ends_with(".weight")) module = own->substr(0, own->size() - 7);
      }
      if (module) return QueryKeyValueBeside(*module);
    }
    return {};
  }

  static std::array<uint64_t, 3> SizesOfAttention(const OnnxNode& node, uint64_t outputs) {
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

  // Biases and gains whose names folding took away.
  void NameByModule(const OnnxNode& node) {
    const auto module = ModuleOfNode(node.name);
    if (!module) return;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto tensor = graph_.TensorOf(node, i);
      if (!tensor || taken_[*tensor] || Tensor(*tensor).shape.size() != 1 ||
          !IsFloat(Tensor(*tensor).dtype) || Tensor(*tensor).element_count < 2 ||
          NameByFile(Tensor(*tensor).name) || IsBuilderName(Tensor(*tensor).name)) {
        continue;
      }
      const std::string gain = *module + ".weight";
      if ((node.op_type == "Add" || node.op_type == "Gemm") && HasClaim(gain)) {
        Add(Stored(*tensor, *module + ".bias"), false);
      } else if (node.op_type == "Mul" && differences_ && IsNormGain(gain)) {
        OnnxWeight weight = Stored(*tensor, gain);
        weight.added = 1;
        Add(std::move(weight), false);
      }
    }
  }

  bool HasClaim(std::string_view name) {
    if (claimed_.empty()) {
      for (const Claim& claim : claims_) claimed_.insert(claim.weight.name);
    }
    return claimed_.contains(name);
  }

  // Exporters store equal parameters once; the others are Identity nodes with their names.
  void AddAliases(const OnnxNode& node) {
    if (node.op_type != "Identity" || node.outputs.empty()) return;
    const auto tensor = graph_.TensorOf(node, 0);
    if (!tensor || !IsFloat(Tensor(*tensor).dtype) || Tensor(*tensor).element_count < 2) return;
    const auto name = NameByFile(node.outputs[0]);
    const auto own = NameByFile(Tensor(*tensor).name);
    if (!name || !own || *name == *own) return;
    // A tied head is its embedding.
    if (Tensor(*tensor).shape.size() == 2 && name->ends_with("lm_head.weight")) return;
    OnnxWeight weight = Stored(*tensor, *name);
    claims_.push_back({std::move(weight), Tensor(*tensor).graph, true});
  }

  // What no node names.
  Result<void> AddRest() {
    const bool built =
        std::any_of(model_.tensors.begin(), model_.tensors.end(), [](const OnnxTensor& tensor) {
          return tensor.name.find(".MatMul") != std::string::npos && IsBuilderName(tensor.name);
        });
    for (size_t i = 0; i < model_.tensors.size(); ++i) {
      const OnnxTensor& tensor = Tensor(i);
      if (!taken_[i] && IsCodes(tensor)) {
        return Error{.kind = ErrorKind::kUnsupported,
                     .problem = "quantised tensor is used in a way that is not read",
                     .tensor = tensor.name,
                     .found = UseOf(tensor)};
      }
      if (taken_[i] || !IsFloat(tensor.dtype) || tensor.element_count < 2) continue;
      const std::string_view plain = PlainOnnxName(tensor.name);
      std::string name(IsMadeUpName(plain) ? std::string_view(tensor.name) : plain);
      if (built) name = HubNameOfBuilder(std::move(name));
      OnnxWeight weight = Stored(i, name);
      if (built && differences_ && tensor.shape.size() == 1 && IsNormGain(name)) weight.added = 1;
      Add(std::move(weight), true);
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

  // Folding leaves the transpose of a tied embedding as a matrix of its own.
  void DropTiedHead() {
    if (!source_.tied_head) return;
    std::erase_if(claims_, [](const Claim& claim) {
      return !claim.named_by_file && claim.weight.name.ends_with("lm_head.weight");
    });
  }

  // One weight to a name. Branches of an If hold the same weights: the outermost graph's count.
  // Two weights of one graph that would take one name keep those of their initialisers.
  Result<std::vector<OnnxWeight>> Settle() {
    std::map<std::string, std::vector<size_t>, std::less<>> by_name;
    for (size_t i = 0; i < claims_.size(); ++i) by_name[claims_[i].weight.name].push_back(i);
    std::map<std::string, OnnxWeight, std::less<>> settled;
    std::vector<size_t> renamed;
    for (const auto& [name, same] : by_name) {
      const size_t first = *std::min_element(same.begin(), same.end(), [&](size_t a, size_t b) {
        return std::pair(claims_[a].graph, !claims_[a].named_by_file) <
               std::pair(claims_[b].graph, !claims_[b].named_by_file);
      });
      const bool clash = std::any_of(same.begin(), same.end(), [&](size_t i) {
        return claims_[i].graph == claims_[first].graph && !claims_[i].named_by_file &&
               claims_[i].weight.numbers.tensor != claims_[first].weight.numbers.tensor;
      });
      if (!clash) {
        settled.emplace(name, claims_[first].weight);
        continue;
      }
      for (const size_t i : same) renamed.push_back(i);
    }
    for (const size_t i : renamed) {
      OnnxWeight weight = claims_[i].weight;
      weight.name = Tensor(weight.numbers.tensor).name;
      settled.emplace(weight.name, std::move(weight));
    }
    std::vector<OnnxWeight> weights;
    for (auto& [name, weight] : settled) {
      if (weight.element_count != 0) weights.push_back(std::move(weight));
    }
    return weights;
  }

  const OnnxModel& model_;
  const OnnxSource& source_;
  OnnxGraphIndex graph_;
  std::vector<bool> taken_;  // by tensor: a weight, or a part of one
  std::vector<Claim> claims_;
  std::set<std::string, std::less<>> claimed_;
  bool differences_ = false;
};

}  // namespace

Result<std::vector<OnnxWeight>> FindOnnxWeights(const OnnxModel& model, const OnnxSource& source) {
  return Reader(model, source).Read();
}

}  // namespace tensorguard
