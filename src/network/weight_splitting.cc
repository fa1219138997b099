#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "architecture/config_view.h"
#include "base/try.h"
#include "network/weight.h"

namespace tensorguard::internal {
namespace {

// More heads or experts than any model has: a bound on what a hostile header makes us allocate.
constexpr uint64_t kMostHeads = 65'536;
constexpr uint64_t kMostExperts = 65'536;
// Weights are read in whole rows.
constexpr uint64_t kLongestRow = uint64_t{1} << 27;

// A tensor, or one expert of a stack, as a matrix of outputs by inputs.
struct StoredMatrix {
  uint64_t outputs = 0;
  uint64_t inputs = 1;
  bool is_vector = false;
  bool input_major = false;
};

// The outputs of a tensor that belong to one role, in their order.
struct Part {
  Role role;
  std::vector<RowRun> runs;
};

struct AttentionSizes {
  uint64_t heads = 0;
  uint64_t head_size = 0;
};

// One attention block of a model: the stack, the layer, and whether it reads the encoder.
using BlockKey = std::tuple<std::string, uint32_t, bool>;

BlockKey KeyOf(const TensorRole& role) {
  return {role.stack, role.layer.value_or(0), role.cross_attention};
}

// `shape` is a whole tensor's, or that of one of its stacked experts.
StoredMatrix MatrixOfShape(std::span<const uint64_t> shape, const TensorRole& role) {
  // RWKV keeps its vectors as [1, 1, hidden]. A [1, hidden] matrix is one with a single output.
  if (shape.size() > 2) {
    while (shape.size() > 1 && shape.front() == 1) shape = shape.subspan(1);
  }
  if (shape.size() <= 1) return {.outputs = shape.empty() ? 1 : shape[0], .is_vector = true};
  uint64_t others = 1;
  for (const uint64_t dimension : shape.subspan(1)) others *= dimension;
  if (role.input_major) return {.outputs = others, .inputs = shape[0], .input_major = true};
  return {.outputs = shape[0], .inputs = others};
}

std::vector<uint64_t> ExpertShape(const TensorInfo& tensor) {
  return {tensor.shape.begin() + 1, tensor.shape.end()};
}

// What is known about the attention of a model, beyond one tensor.
class AttentionShapes {
 public:
  explicit AttentionShapes(const Model& model) : config_(model.config) {
    const auto& tensors = model.weights->tensors();
    for (size_t i = 0; i < tensors.size(); ++i) {
      const TensorRole& role = model.architecture.roles[i];
      if (role.is_bias || tensors[i].shape.size() != 2) continue;
      if (role.role == Role::kOutputProjection) {
        output_columns_[KeyOf(role)] = MatrixOfShape(tensors[i].shape, role).inputs;
      }
      if (role.role == Role::kQuery && role.packing == Packing::kInterleavedGate) {
        gated_queries_[KeyOf(role)] = true;
      }
    }
  }

  // Empty where the config does not tell, or is about other stacks than this one.
  std::optional<AttentionSizes> SizesOf(const TensorRole& role) const {
    const bool text = role.stack.empty() || role.stack == "decoder" || role.stack == "encoder" ||
                      role.stack == "mtp";
    if (!text) return {};
    const ConfigView view = config_.ForStack(role.stack);
    const auto heads = view.Heads();
    const auto head_size = view.HeadSize();
    if (!heads || !head_size || *heads > kMostHeads) return {};
    return AttentionSizes{*heads, *head_size};
  }

  // Inputs of the output projection beside a fused tensor: as many as there are query rows.
  std::optional<uint64_t> OutputColumnsOf(const TensorRole& role) const {
    const auto found = output_columns_.find(KeyOf(role));
    if (found == output_columns_.end()) return {};
    return found->second;
  }

  const ConfigView& config() const { return config_; }

  // The packing of the query's weight, which its bias shares.
  bool HoldsGate(const TensorRole& role) const { return gated_queries_.contains(KeyOf(role)); }

 private:
  ConfigView config_;
  std::map<BlockKey, uint64_t> output_columns_;
  std::map<BlockKey, bool> gated_queries_;
};

Error ShapeError(const TensorInfo& tensor, uint64_t rows, std::string expected) {
  return {.kind = ErrorKind::kBadFile,
          .problem = "the rows of a fused tensor cannot be split",
          .file = tensor.file,
          .tensor = tensor.name,
          .found = std::to_string(rows) + " rows",
          .expected = std::move(expected),
          .advice = "check that config.json belongs to these weights"};
}

std::vector<Part> Whole(const TensorRole& role, uint64_t rows) {
  return {{role.role, {{.first = 0, .count = rows}}}};
}

// Key-value heads of a fused tensor: its rows are (heads + 2 key-value heads) head sizes. Empty
// where that does not come out.
std::optional<uint64_t> KeyValueHeads(const AttentionSizes& sizes, uint64_t rows) {
  if (rows % sizes.head_size != 0) return {};
  const uint64_t all = rows / sizes.head_size;
  if (all <= sizes.heads || (all - sizes.heads) % 2 != 0) return {};
  const uint64_t key_value = (all - sizes.heads) / 2;
  if (key_value == 0 || sizes.heads % key_value != 0) return {};
  return key_value;
}

std::string ExpectedRows(const AttentionSizes& sizes) {
  return "(" + std::to_string(sizes.heads) + " heads + 2 * key-value heads) * " +
         std::to_string(sizes.head_size);
}

std::vector<Part> ConcatenatedAttention(uint64_t query_rows, uint64_t rows) {
  const uint64_t key_rows = (rows - query_rows) / 2;
  return {{Role::kQuery, {{.first = 0, .count = query_rows}}},
          {Role::kKey, {{.first = query_rows, .count = key_rows}}},
          {Role::kValue, {{.first = query_rows + key_rows, .count = key_rows}}}};
}

// Per key-value head: its query heads, its key, its value. With as many key-value heads as heads
// this is the layout of GPT-NeoX, with one of them that of the first Falcon.
std::vector<Part> InterleavedAttention(const AttentionSizes& sizes, uint64_t key_value_heads) {
  const uint64_t queries = sizes.heads / key_value_heads;
  const uint64_t group_rows = (queries + 2) * sizes.head_size;
  std::vector<Part> parts = {{Role::kQuery, {}}, {Role::kKey, {}}, {Role::kValue, {}}};
  for (uint64_t group = 0; group < key_value_heads; ++group) {
    const uint64_t first = group * group_rows;
    const uint64_t key = first + queries * sizes.head_size;
    parts[0].runs.push_back({.first = first, .count = queries * sizes.head_size});
    parts[1].runs.push_back({.first = key, .count = sizes.head_size});
    parts[2].runs.push_back({.first = key + sizes.head_size, .count = sizes.head_size});
  }
  return parts;
}

// CodeGen keeps the layout of the four devices it was trained on.
std::vector<Part> QuarteredAttention(uint64_t rows) {
  constexpr uint64_t kQuarters = 4;
  const uint64_t size = rows / (3 * kQuarters);
  std::vector<Part> parts = {{Role::kQuery, {}}, {Role::kKey, {}}, {Role::kValue, {}}};
  for (uint64_t quarter = 0; quarter < kQuarters; ++quarter) {
    const uint64_t first = quarter * 3 * size;
    parts[0].runs.push_back({.first = first, .count = size});
    parts[1].runs.push_back({.first = first + 2 * size, .count = size});
    parts[2].runs.push_back({.first = first + size, .count = size});
  }
  return parts;
}

// Four blocks of equal height.
std::vector<Part> GateFirstAttention(uint64_t rows) {
  std::vector<Part> parts;
  for (const Role role : {Role::kAttentionGate, Role::kQuery, Role::kKey, Role::kValue}) {
    parts.push_back({role, {{.first = parts.size() * (rows / 4), .count = rows / 4}}});
  }
  return parts;
}

Result<std::vector<Part>> SplitAttention(const AttentionShapes& shapes, const TensorInfo& tensor,
                                         const TensorRole& role, uint64_t rows) {
  if (role.packing == Packing::kQuartersQueryValueKey) {
    if (rows % 12 != 0) return ShapeError(tensor, rows, "a multiple of 12");
    return QuarteredAttention(rows);
  }
  if (role.packing == Packing::kConcatenatedGateFirst) {
    if (rows % 4 != 0) return ShapeError(tensor, rows, "a multiple of 4");
    return GateFirstAttention(rows);
  }
  const auto sizes = shapes.SizesOf(role);
  const auto key_value_heads = sizes ? KeyValueHeads(*sizes, rows) : std::nullopt;
  if (role.packing == Packing::kInterleavedHeads || role.packing == Packing::kInterleavedGroups) {
    if (key_value_heads) return InterleavedAttention(*sizes, *key_value_heads);
    if (sizes) return ShapeError(tensor, rows, ExpectedRows(*sizes));
    return Whole(role, rows);
  }
  if (key_value_heads) return ConcatenatedAttention(sizes->heads * sizes->head_size, rows);
  // Models whose layers differ in their number of heads state none, or a list.
  const auto columns = shapes.OutputColumnsOf(role);
  if (columns && *columns < rows && (rows - *columns) % 2 == 0) {
    return ConcatenatedAttention(*columns, rows);
  }
  if (sizes) return ShapeError(tensor, rows, ExpectedRows(*sizes));
  if (columns) return ShapeError(tensor, rows, std::to_string(*columns) + " and twice the keys");
  return Whole(role, rows);
}

Result<std::vector<Part>> SplitInHalf(const TensorInfo& tensor, uint64_t rows, Role first,
                                      Role second, Packing packing) {
  if (rows % 2 != 0) return ShapeError(tensor, rows, "an even number of rows");
  const uint64_t half = rows / 2;
  if (packing == Packing::kInterleavedRows) {
    return std::vector<Part>{{first, {{.first = 0, .count = half, .step = 2}}},
                             {second, {{.first = 1, .count = half, .step = 2}}}};
  }
  const bool swapped = packing == Packing::kConcatenatedUpFirst;
  return std::vector<Part>{{first, {{.first = swapped ? half : 0, .count = half}}},
                           {second, {{.first = swapped ? 0 : half, .count = half}}}};
}

Result<std::vector<Part>> SplitGatedQuery(const AttentionShapes& shapes, const TensorInfo& tensor,
                                          const TensorRole& role, uint64_t rows) {
  const auto sizes = shapes.SizesOf(role);
  if (!sizes) return Whole(role, rows);
  const uint64_t heads = sizes->heads;
  if (rows % (2 * heads) != 0) {
    return ShapeError(tensor, rows, "2 * " + std::to_string(heads) + " heads");
  }
  const uint64_t size = rows / (2 * heads);
  std::vector<Part> parts = {{Role::kQuery, {}}, {Role::kAttentionGate, {}}};
  for (uint64_t head = 0; head < heads; ++head) {
    parts[0].runs.push_back({.first = 2 * head * size, .count = size});
    parts[1].runs.push_back({.first = (2 * head + 1) * size, .count = size});
  }
  return parts;
}

Result<std::vector<Part>> Split(const AttentionShapes& shapes, const TensorInfo& tensor,
                                const TensorRole& role, uint64_t rows) {
  switch (role.role) {
    case Role::kQueryKeyValue:
      return SplitAttention(shapes, tensor, role, rows);
    case Role::kKeyValue:
      return SplitInHalf(tensor, rows, Role::kKey, Role::kValue, role.packing);
    case Role::kGateUp:
      return SplitInHalf(tensor, rows, Role::kGate, Role::kUp, role.packing);
    case Role::kQuery:
      if (!role.stacked_experts && shapes.HoldsGate(role)) {
        return SplitGatedQuery(shapes, tensor, role, rows);
      }
      return Whole(role, rows);
    default:
      return Whole(role, rows);
  }
}

// ConvBERT keeps the matrices of grouped feed-forwards as [groups, in, out].
bool IsGroupedFeedForward(const ConfigView& config, const TensorInfo& tensor,
                          const TensorRole& role) {
  static constexpr std::array<std::string_view, 1> kGroups = {"num_groups"};
  return (role.role == Role::kUp || role.role == Role::kDown) && !role.stacked_experts &&
         tensor.shape.size() == 3 && tensor.shape.back() > 1 &&
         config.Number(kGroups) == tensor.shape.front();
}

// A matrix that is stored as a convolution of width 1 may be one in groups, whose number
// config.json says for each role.
Result<uint64_t> GroupsOf(const ConfigView& config, const TensorInfo& tensor,
                          const TensorRole& role) {
  static constexpr std::array<std::pair<Role, std::string_view>, 6> kKeys = {
      {{Role::kQuery, "q_groups"},
       {Role::kKey, "k_groups"},
       {Role::kValue, "v_groups"},
       {Role::kOutputProjection, "post_attention_groups"},
       {Role::kUp, "intermediate_groups"},
       {Role::kDown, "output_groups"}}};
  if (IsGroupedFeedForward(config, tensor, role)) return tensor.shape.front();
  if (tensor.shape.size() != 3 || tensor.shape.back() != 1) return uint64_t{1};
  for (const auto& [known, key] : kKeys) {
    const auto groups = known == role.role ? config.Number(std::array{key}) : std::nullopt;
    if (!groups) continue;
    if (tensor.shape.front() % *groups == 0 && *groups <= kMostHeads) return *groups;
    return ShapeError(tensor, tensor.shape.front(), "a multiple of " + std::to_string(*groups));
  }
  return uint64_t{1};
}

// Adds the weights of one tensor to `weights`.
Result<void> AddWeights(const AttentionShapes& shapes, const TensorInfo& tensor,
                        size_t tensor_index, const TensorRole& role, std::vector<Weight>& weights) {
  const bool stacked = role.stacked_experts && tensor.shape.size() >= 2;
  const uint64_t experts = stacked ? tensor.shape[0] : 1;
  if (experts > kMostExperts) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "a stack of more experts than any model has",
                 .file = tensor.file,
                 .tensor = tensor.name,
                 .found = std::to_string(experts) + " experts",
                 .expected = "at most " + std::to_string(kMostExperts)};
  }
  StoredMatrix matrix = MatrixOfShape(stacked ? ExpertShape(tensor) : tensor.shape, role);
  if (IsGroupedFeedForward(shapes.config(), tensor, role)) {
    matrix = {.outputs = tensor.shape[0] * tensor.shape[2],
              .inputs = tensor.shape[1],
              .input_major = true};
  }
  if (matrix.inputs > kLongestRow) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "a matrix with longer rows than any model has",
                 .file = tensor.file,
                 .tensor = tensor.name,
                 .found = std::to_string(matrix.inputs) + " columns",
                 .expected = "at most " + std::to_string(kLongestRow)};
  }
  TG_ASSIGN(auto parts, Split(shapes, tensor, role, matrix.outputs));
  TG_ASSIGN(const auto groups, GroupsOf(shapes.config(), tensor, role));
  for (uint64_t expert = 0; expert < experts; ++expert) {
    for (const Part& part : parts) {
      Weight weight;
      weight.role = role;
      weight.role.role = part.role;
      if (part.role != role.role || parts.size() > 1) weight.role.packing = Packing::kNone;
      weight.role.stacked_experts = false;
      if (stacked) weight.role.expert = static_cast<uint32_t>(expert);
      weight.tensor_index = tensor_index;
      for (const RowRun& run : part.runs) weight.rows += run.count;
      weight.columns = matrix.inputs;
      weight.first_element = expert * matrix.outputs * matrix.inputs;
      weight.stored_rows = matrix.outputs;
      weight.runs = part.runs;
      weight.input_major = matrix.input_major;
      weight.is_vector = matrix.is_vector;
      weight.groups = groups;
      weights.push_back(std::move(weight));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Weight>> SplitWeights(const Model& model) {
  const AttentionShapes shapes(model);
  const auto& tensors = model.weights->tensors();
  std::vector<Weight> weights;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorRole& role = model.architecture.roles[i];
    if (role.role == Role::kBuffer || role.role == Role::kScale) continue;
    if (tensors[i].element_count == 0) continue;
    TG_TRY(AddWeights(shapes, tensors[i], i, role, weights));
  }
  return weights;
}

}  // namespace tensorguard::internal
