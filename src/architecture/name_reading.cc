#include "architecture/name_reading.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "architecture/role_table.h"

namespace tensorguard::internal {
namespace {

// Modules that only a recurrent or state-space block has.
constexpr std::array<std::string_view, 13> kRecurrentModules = {
    "a_log",      "dt_bias", "conv1d",   "conv_1d",     "rg_lru", "bcdt_proj", "time_decay",
    "time_first", "x_r",     "f_a_proj", "output_gate", "g_norm", "slope_rate"};

constexpr std::array<std::string_view, 6> kAdapterWords = {
    "lora_a", "lora_b", "lora_embedding_a", "lora_embedding_b", "adapter", "adapters"};

bool IsAdapterWord(std::string_view word) {
  return std::find(kAdapterWords.begin(), kAdapterWords.end(), word) != kAdapterWords.end() ||
         word == "lora_magnitude_vector" || word.ends_with("adapter_list");
}

bool IsSharedExpertWord(std::string_view word) {
  return word.find("shared_expert") != std::string_view::npos || word == "share_expert" ||
         word == "shared_mlp" || word.ends_with("_shexp");
}

bool IsCrossAttentionWord(std::string_view word) {
  return word.find("cross") != std::string_view::npos || word == "encdecattention" ||
         word.starts_with("encoder_attn") || word == "enc_dec_attention";
}

bool IsRecurrent(const ModelPaths& model, std::string_view block_text) {
  return std::any_of(kRecurrentModules.begin(), kRecurrentModules.end(),
                     [&](std::string_view name) { return model.Has(block_text, name); });
}

// The block that the words of the module before `end` open; the innermost that says one counts.
Block BlockAt(const ModelPaths& model, const TensorPath& path, size_t end) {
  Block innermost = path.layer ? Block::kLayer : Block::kOutside;
  bool found = false;
  for (size_t i = end; i-- > 0;) {
    const std::string_view word = path.module[i];
    const auto block = model.MeaningOf(word).block;
    if (!block) continue;
    if (*block == Block::kAside) return Block::kAside;
    if (found) continue;
    innermost = *block;
    found = true;
    const bool may_recur = innermost == Block::kAttention && path.layer;
    if (may_recur && IsRecurrent(model, path.TextThrough(word))) innermost = Block::kMixer;
  }
  // A list of experts without a block's name of its own.
  if (!found && path.in_experts) return Block::kFeedForward;
  return innermost;
}

}  // namespace

Block BlockOfTensor(const ModelPaths& model, const TensorPath& path) {
  return BlockAt(model, path, path.module.empty() ? 0 : path.module.size() - 1);
}

namespace {

// A numbered entry of a Sequential in a feed-forward block: the first matrix goes up, the last
// down.
Role SequentialRole(const ModelPaths& model, const TensorPath& path) {
  const std::string_view parent = path.ParentText();
  const auto own = IndexOf(path.module.back());
  if (!own) return Role::kOther;
  bool before = false;
  bool after = false;
  constexpr uint32_t kMostEntries = 12;
  for (uint32_t i = 0; i < kMostEntries; ++i) {
    if (i == *own || !model.Has(parent, std::to_string(i))) continue;
    (i < *own ? before : after) = true;
  }
  if (before == after) return Role::kOther;
  return after ? Role::kUp : Role::kDown;
}

struct Reading {
  Role role = Role::kOther;
  Packing packing = Packing::kNone;
};

Reading ReadHints(const ModelPaths& model, const TensorPath& path) {
  if (path.module.empty() || !path.layer) return {};
  const Role role = HintedRole(path.module.back(), BlockOfTensor(model, path));
  const bool fused = role == Role::kQueryKeyValue || role == Role::kKeyValue;
  return {role, fused ? Packing::kConcatenated : Packing::kNone};
}

// Goes from the module's last word outwards until a row knows one: "q_proj.base_layer" and
// "router.layer" mean what their parent means.
Reading ReadModule(const ModelPaths& model, const TensorPath& path) {
  for (size_t end = path.module.size(); end > 0; --end) {
    const std::string_view last = path.module[end - 1];
    const std::string_view parent = end > 1 ? path.module[end - 2] : std::string_view();
    const Block block = BlockAt(model, path, end - 1);
    const auto last_begin = static_cast<size_t>(last.data() - path.text.data());
    const auto parent_text =
        std::string_view(path.text).substr(0, last_begin == 0 ? 0 : last_begin - 1);
    const auto has_sibling = [&](std::string_view name) { return model.Has(parent_text, name); };
    const RoleRow* row = FindRoleRow(parent, last, block, has_sibling);
    const bool own_name = end == path.module.size();
    const bool usable = row != nullptr && (own_name || row->block != Block::kOutside);
    const bool plain = row != nullptr && (row->role == Role::kNorm || row->role == Role::kBuffer ||
                                          row->role == Role::kGain);
    if (usable && plain) return {row->role, row->packing};
    if (block == Block::kAside) return {};
    if (block == Block::kMixer && path.layer) return {Role::kMixer};
    if (block == Block::kRouter) return {Role::kRouter};
    if (usable) return {row->role, row->packing};
    if (own_name && block == Block::kFeedForward && IndexOf(last)) {
      const Role role = SequentialRole(model, path);
      if (role != Role::kOther) return {role};
    }
    // The bias of a whole attention block is the causal mask of GPT-2 and its kin.
    if (own_name && path.parameter == Parameter::kBias &&
        model.MeaningOf(last).block == Block::kAttention) {
      return {Role::kBuffer};
    }
  }
  return ReadHints(model, path);
}

std::string_view ModalityStack(const ModelPaths& model, const TensorPath& path) {
  std::string_view before;
  for (const std::string_view word : path.words) {
    // FNet's text embedding has a projection, too.
    const bool of_text = word == "projection" && before == "embeddings";
    before = word;
    if (word == "modality_router" || of_text) continue;
    const std::string_view stack = model.MeaningOf(word).modality_stack;
    if (!stack.empty()) return stack;
  }
  return {};
}

bool IsFeedForward(Role role) {
  return role == Role::kGate || role == Role::kUp || role == Role::kDown || role == Role::kGateUp;
}

// Roles that only a layer has.
bool BelongsInLayer(Role role) {
  return IsFeedForward(role) || (role >= Role::kQuery && role <= Role::kKeyValueUp);
}

bool IsStacked(const TensorPath& path, const TensorRole& role, std::span<const uint64_t> shape) {
  const bool of_attention = role.role == Role::kQuery || role.role == Role::kOutputProjection;
  const bool can_be = IsFeedForward(role.role) || (of_attention && path.in_experts);
  if (role.expert || role.shared_expert || !can_be) return false;
  if (!shape.empty() && path.parameter == Parameter::kWeight) {
    return shape.size() == 3 && shape.back() > 1;  // not a convolution of width 1
  }
  const bool fused_experts = std::any_of(path.module.begin(), path.module.end(), [](auto word) {
    return word.find("moe") != std::string_view::npos;
  });
  return path.in_experts || fused_experts;
}

bool EndsAsBias(const TensorPath& path, Role role) {
  if (path.parameter == Parameter::kBias) return role != Role::kGain && role != Role::kBuffer;
  const bool can_be = role != Role::kPositionEmbedding && role != Role::kBuffer &&
                      role != Role::kGain && role != Role::kOther;
  return can_be && !path.module.empty() && path.module.back().ends_with("_bias");
}

}  // namespace

namespace {

TensorRole ReadNameBeside(const ModelPaths& model, const TensorPath& path,
                          std::span<const uint64_t> shape, std::string stack) {
  TensorRole role;
  role.layer = path.layer;
  role.expert = path.expert;
  const Reading reading = ReadModule(model, path);
  role.role = reading.role;
  role.packing = reading.packing;
  // "fc_out" outside the layers is the last projection of the model, not of a feed-forward block.
  const bool loose = !path.layer && BlockOfTensor(model, path) == Block::kOutside;
  if (loose && BelongsInLayer(role.role)) role.role = Role::kTaskHead;
  for (const std::string_view word : path.module) {
    role.shared_expert |= IsSharedExpertWord(word);
    role.cross_attention |= IsCrossAttentionWord(word) && path.layer.has_value();
    if (IsAdapterWord(word)) role.role = Role::kAdapter;
  }
  role.stack = std::move(stack);
  if (!role.stack.empty() && role.role != Role::kBuffer) role.role = Role::kModality;
  if (path.parameter == Parameter::kScale) {
    role.companion_of = role.role;
    role.role = Role::kScale;
  }
  role.is_bias = EndsAsBias(path, role.role);
  role.stacked_experts = IsStacked(path, role, shape);
  const bool fused = role.role == Role::kQueryKeyValue || role.role == Role::kKeyValue ||
                     role.role == Role::kGateUp;
  if (!fused) role.packing = Packing::kNone;
  return role;
}

}  // namespace

TensorRole ReadName(const ModelPaths& model, const TensorPath& path,
                    std::span<const uint64_t> shape) {
  return ReadNameBeside(model, path, shape, std::string(ModalityStack(model, path)));
}

TensorRole ReadNameInTower(const ModelPaths& model, const TensorPath& path,
                           std::span<const uint64_t> shape) {
  TensorRole role = ReadNameBeside(model, path, shape, {});
  // No token enters a tower: what the names call an embedding is that of patches or classes.
  if (!role.layer && (role.role == Role::kOther || role.role == Role::kEmbedding)) {
    role.role = Role::kModality;
  }
  return role;
}

}  // namespace tensorguard::internal
