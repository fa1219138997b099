#include "architecture/shape_reading.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "architecture/name_reading.h"

namespace tensorguard::internal {
namespace {

// A matrix's two dimensions; of stacked experts, those of one expert.
struct Matrix {
  uint64_t rows;
  uint64_t columns;
};

std::optional<Matrix> MatrixOf(const ShapeContext& context, size_t index, const TensorRole& role) {
  const auto& shape = context.tensors[index].shape;
  const TensorPath& path = context.model[index];
  if (path.parameter != Parameter::kWeight || role.is_bias) return {};
  const size_t stacked = role.stacked_experts ? 1 : 0;
  if (shape.size() != 2 + stacked) return {};
  return Matrix{shape[stacked], shape[stacked + 1]};
}

// The width of the residual stream by stack, from the config or the token embedding.
class HiddenSizes {
 public:
  HiddenSizes(const ShapeContext& context, std::span<const TensorRole> roles) : context_(context) {
    for (size_t i = 0; i < roles.size(); ++i) {
      if (roles[i].role != Role::kEmbedding) continue;
      if (const auto matrix = MatrixOf(context, i, roles[i])) embedding_ = matrix->columns;
    }
  }

  std::optional<uint64_t> Of(const std::string& stack) {
    const auto known = by_stack_.find(stack);
    if (known != by_stack_.end()) return known->second;
    auto size = context_.config.ForStack(stack).HiddenSize();
    if (!size) size = embedding_;
    return by_stack_[stack] = size;
  }

 private:
  const ShapeContext& context_;
  std::optional<uint64_t> embedding_;
  std::map<std::string, std::optional<uint64_t>> by_stack_;
};

std::optional<uint64_t> VocabularySize(const ShapeContext& context,
                                       std::span<const TensorRole> roles) {
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].role != Role::kEmbedding || !roles[i].stack.empty()) continue;
    if (const auto matrix = MatrixOf(context, i, roles[i])) return matrix->rows;
  }
  return context.config.VocabularySize();
}

// Whether the tensor reads the residual stream (its input is hidden wide) or writes it.
enum class Side { kReads, kWrites, kNeither };

// Zamba's attention reads the stream with the embedded token beside it: twice the usual width.
bool ReadsMore(const TensorPath& path) {
  return std::any_of(path.module.begin(), path.module.end(), [](std::string_view word) {
    return word == "shared_transf" || word == "shared_transformer";
  });
}

Side SideOf(const TensorRole& role) {
  switch (role.role) {
    case Role::kKey:
    case Role::kValue:
    case Role::kKeyValue:
      // In cross-attention the input is as wide as the encoder, which may differ.
      return role.cross_attention ? Side::kNeither : Side::kReads;
    case Role::kQuery:
    case Role::kQueryKeyValue:
    case Role::kQueryDown:
    case Role::kKeyValueDown:
    case Role::kAttentionGate:
    case Role::kGate:
    case Role::kUp:
    case Role::kGateUp:
    case Role::kRouter:
    case Role::kOutputHead:
      return Side::kReads;
    case Role::kOutputProjection:
    case Role::kDown:
      return Side::kWrites;
    default:
      return Side::kNeither;
  }
}

bool CanBeInputMajor(Role role) {
  return SideOf({.role = role}) != Side::kNeither || role == Role::kQueryUp ||
         role == Role::kKeyValueUp;
}

// Empty where the shape fits both ways.
std::optional<bool> InputMajorByShape(const Matrix& matrix, Side side, uint64_t hidden) {
  if (side == Side::kNeither || (matrix.rows == hidden) == (matrix.columns == hidden)) return {};
  return (matrix.rows == hidden) == (side == Side::kReads);
}

// Rows of the matrix on the side that is not the residual stream.
uint64_t InnerSize(const Matrix& matrix, Side side, std::optional<uint64_t> hidden) {
  const bool by_rows = side == Side::kReads;
  if (!hidden) return by_rows ? matrix.rows : matrix.columns;
  const bool input_major = InputMajorByShape(matrix, side, *hidden).value_or(false);
  return by_rows != input_major ? matrix.rows : matrix.columns;
}

void SetPacking(const KnownArchitecture& known, std::optional<Packing> attention,
                TensorRole& role) {
  if (role.role == Role::kQueryKeyValue) role.packing = attention.value_or(role.packing);
  if (role.role == Role::kGateUp) role.packing = known.row.gate_packing.value_or(role.packing);
  const bool fused = role.role == Role::kGateUp || role.role == Role::kQueryKeyValue;
  if (fused && role.packing == Packing::kNone) role.packing = Packing::kConcatenated;
}

// Widths of the down projections by the text of the block they lie in.
std::map<std::string_view, uint64_t> DownSizes(const ShapeContext& context,
                                               std::span<const TensorRole> roles,
                                               HiddenSizes& hidden) {
  std::map<std::string_view, uint64_t> sizes;
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].role != Role::kDown || !roles[i].layer) continue;
    const auto matrix = MatrixOf(context, i, roles[i]);
    if (!matrix) continue;
    sizes[context.model[i].ParentText()] =
        InnerSize(*matrix, Side::kWrites, hidden.Of(roles[i].stack));
  }
  return sizes;
}

// "gate_up_proj", "gating_einsum": the name itself says that a gate is in it.
bool NameSaysGate(const TensorPath& path) {
  return !path.module.empty() && path.module.back().find("gat") != std::string_view::npos;
}

// Matrices in groups (ConvBERT) look like stacked experts.
void UnstackGroups(const ShapeContext& context, std::span<TensorRole> roles) {
  static constexpr std::array<std::string_view, 1> kGroups = {"num_groups"};
  const auto groups =
      context.known.name == "convbert" ? context.config.Number(kGroups) : std::nullopt;
  if (!groups) return;
  for (size_t i = 0; i < roles.size(); ++i) {
    const auto& shape = context.tensors[i].shape;
    if (shape.size() == 3 && shape.front() == *groups) roles[i].stacked_experts = false;
  }
}

}  // namespace

void ReadHeads(const ShapeContext& context, std::span<TensorRole> roles) {
  const auto vocabulary = VocabularySize(context, roles);
  if (!vocabulary) return;
  bool has_head = false;
  std::set<std::string_view> demoted;  // modules whose bias must follow
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].role != Role::kOutputHead) continue;
    const auto matrix = MatrixOf(context, i, roles[i]);
    if (!matrix) continue;
    // A head may lack the rows that pad an embedding, or leave out special tokens.
    const bool too_few = matrix->rows < *vocabulary / 2 && matrix->columns < *vocabulary / 2;
    if (too_few) demoted.insert(context.model[i].TextThrough(context.model[i].module.back()));
    has_head |= !too_few;
  }
  for (size_t i = 0; i < roles.size(); ++i) {
    const TensorPath& path = context.model[i];
    if (path.module.empty()) continue;
    if (roles[i].role == Role::kOutputHead &&
        demoted.contains(path.TextThrough(path.module.back()))) {
      roles[i].role = Role::kTaskHead;
    }
    const bool candidate = roles[i].role == Role::kTaskHead && roles[i].stack.empty();
    const auto matrix = candidate ? MatrixOf(context, i, roles[i]) : std::nullopt;
    if (matrix && !has_head && matrix->rows == *vocabulary) {
      roles[i].role = Role::kOutputHead;
      has_head = true;
    }
  }
}

void ReadFused(const ShapeContext& context, std::span<TensorRole> roles) {
  UnstackGroups(context, roles);
  HiddenSizes hidden(context, roles);
  const auto down_sizes = DownSizes(context, roles, hidden);
  const auto attention = AttentionPacking(context.known, context.config);
  const auto heads = context.config.Heads();
  const auto head_size = context.config.HeadSize();
  std::map<std::string_view, Role> by_module;  // what the shape of a weight told
  for (size_t i = 0; i < roles.size(); ++i) {
    TensorRole& role = roles[i];
    const TensorPath& path = context.model[i];
    const bool up = role.role == Role::kUp || role.role == Role::kGateUp;
    const auto matrix = MatrixOf(context, i, role);
    if (up && role.layer && matrix) {
      const auto down = down_sizes.find(path.ParentText());
      const uint64_t inner = InnerSize(*matrix, Side::kReads, hidden.Of(role.stack));
      const std::string_view module = path.TextThrough(path.module.back());
      if (down != down_sizes.end() && inner == 2 * down->second) by_module[module] = Role::kGateUp;
      // One that must hold a gate and is no taller than what goes down contradicts itself: who
      // reads its halves says so.
      const bool must_hold = NameSaysGate(path) || context.known.row.up_holds_gate;
      if (down != down_sizes.end() && inner == down->second) {
        by_module[module] = must_hold ? Role::kGateUp : Role::kUp;
      }
    }
    if (role.role == Role::kQuery && matrix && heads && head_size && role.stack.empty() &&
        matrix->rows == 2 * *heads * *head_size && context.known.row.query_holds_gate) {
      role.packing = Packing::kInterleavedGate;
    }
  }
  for (size_t i = 0; i < roles.size(); ++i) {
    TensorRole& role = roles[i];
    const TensorPath& path = context.model[i];
    if (role.role == Role::kUp || role.role == Role::kGateUp) {
      const auto told = by_module.find(path.TextThrough(path.module.back()));
      if (told != by_module.end()) {
        role.role = told->second;
      } else if (role.role == Role::kUp && context.known.row.up_holds_gate) {
        role.role = Role::kGateUp;
      }
      if (role.role == Role::kUp) role.packing = Packing::kNone;
    }
    SetPacking(context.known, attention, role);
  }
}

void ReadUnnamed(const ShapeContext& context, std::span<TensorRole> roles) {
  HiddenSizes hidden(context, roles);
  const auto vocabulary = VocabularySize(context, roles);
  bool has_embedding = false;
  bool has_head = false;
  std::set<std::pair<std::string_view, uint32_t>> with_feed_forward;
  for (const TensorRole& role : roles) {
    has_embedding |= role.role == Role::kEmbedding && role.stack.empty();
    has_head |= role.role == Role::kOutputHead && role.stack.empty();
    const bool feed_forward =
        role.role == Role::kUp || role.role == Role::kDown || role.role == Role::kGateUp;
    if (feed_forward && role.layer) with_feed_forward.insert({role.stack, *role.layer});
  }
  for (size_t i = 0; i < roles.size(); ++i) {
    TensorRole& role = roles[i];
    if (role.role != Role::kOther || context.model[i].unreadable) continue;
    const auto matrix = MatrixOf(context, i, role);
    if (!matrix) continue;
    if (!role.layer) {
      if (!vocabulary || matrix->rows != *vocabulary || !role.stack.empty()) continue;
      // A second embedding is none of the two.
      const bool named_embedding = context.model[i].text.find("emb") != std::string::npos;
      if (has_embedding && (has_head || named_embedding)) continue;
      role.role = has_embedding ? Role::kOutputHead : Role::kEmbedding;
      (has_embedding ? has_head : has_embedding) = true;
      continue;
    }
    const auto width = hidden.Of(role.stack);
    const Block block = BlockOfTensor(context.model, context.model[i]);
    const bool open = block == Block::kFeedForward || block == Block::kLayer;
    if (!width || !open || with_feed_forward.contains({role.stack, *role.layer})) continue;
    if (matrix->columns == *width && matrix->rows > *width) role.role = Role::kUp;
    if (matrix->rows == *width && matrix->columns > *width) role.role = Role::kDown;
  }
}

namespace {

// XLNet keeps what its heads read as [in, heads, size].
bool IsByHead(const ShapeContext& context, size_t index, const TensorRole& role,
              HiddenSizes& hidden) {
  const auto& shape = context.tensors[index].shape;
  const bool read =
      role.role == Role::kQuery || role.role == Role::kKey || role.role == Role::kValue;
  return read && !role.stacked_experts && shape.size() == 3 && shape[2] > 1 &&
         shape[0] == hidden.Of(role.stack);
}

}  // namespace

void ReadOrientation(const ShapeContext& context, std::span<TensorRole> roles) {
  HiddenSizes hidden(context, roles);
  struct Votes {
    size_t input_major = 0;
    size_t output_major = 0;
  };
  std::map<std::pair<std::string, bool>, Votes> votes;  // by stack, and stacked experts or not
  std::vector<size_t> open;                             // fit both ways
  for (size_t i = 0; i < roles.size(); ++i) {
    TensorRole& role = roles[i];
    if (role.is_bias || !CanBeInputMajor(role.role)) continue;
    role.input_major = context.model[i].stored_input_major || IsByHead(context, i, role, hidden);
    const auto matrix = MatrixOf(context, i, role);
    if (!matrix || role.input_major) continue;
    const auto width = hidden.Of(role.stack);
    // Nor where the layers compute in another width than the stream has (MobileBERT).
    static constexpr std::array<std::string_view, 1> kInner = {"true_hidden_size"};
    const bool known = width && !ReadsMore(context.model[i]) && !context.config.Number(kInner);
    const auto told = known ? InputMajorByShape(*matrix, SideOf(role), *width) : std::nullopt;
    // A quantiser's layer is [out, in], whatever it was before, and says nothing of the others.
    const bool quantised =
        !context.tensors[i].quantisation.empty() && context.tensors[i].shape.size() == 2;
    if (!told && quantised) continue;
    if (!told) {
      open.push_back(i);
      continue;
    }
    role.input_major = *told;
    if (quantised) continue;
    Votes& vote = votes[{role.stack, role.stacked_experts}];
    if (role.layer) ++(*told ? vote.input_major : vote.output_major);
  }
  // A square matrix is stored as its neighbours are.
  for (const size_t i : open) {
    const Votes& vote = votes[{roles[i].stack, roles[i].stacked_experts}];
    roles[i].input_major = vote.input_major > vote.output_major;
  }
}

}  // namespace tensorguard::internal
