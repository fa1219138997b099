// The table that gives a tensor's role by the last words of its name and the block it lies in.
#ifndef TENSORGUARD_ARCHITECTURE_ROLE_TABLE_H_
#define TENSORGUARD_ARCHITECTURE_ROLE_TABLE_H_

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "roles/role.h"

namespace tensorguard::internal {

// What kind of module a tensor lies in, told by the words of its name above the last.
enum class Block {
  kAny,  // only in rows: wherever the tensor lies
  kAttention,
  kFeedForward,
  kMixer,    // recurrent or state-space
  kRouter,   // of a mixture of experts
  kAside,    // side path beside the layer's own function (sparse-attention indexer, ...)
  kHead,     // task head or what leads to the logits
  kLayer,    // in a numbered layer, but in none of the above
  kOutside,  // outside the layers and in none of the above
};

// `path` is the last word of the module's name, or the last two joined by '.', in lower case; a
// '*' at either end of a word stands for any letters. Of the rows that fit, the first counts.
struct RoleRow {
  std::string_view path;
  Block block = Block::kAny;
  Role role = Role::kOther;
  std::string_view beside = {};      // only where the same parent has a module of this name too
  Packing packing = Packing::kNone;  // of fused tensors, unless the architecture knows better
};

struct BlockRow {
  std::string_view word;  // as RoleRow::path, one word
  Block block;
};

struct StackRow {
  std::string_view word;
  std::string_view stack;
};

// A word between '_' in a name that no row knows, and what it hints at in a block.
struct HintRow {
  std::string_view word;
  Block block;
  Role role;
};

std::span<const RoleRow> RoleRows();
std::span<const HintRow> HintRows();
std::span<const BlockRow> BlockRows();
std::span<const StackRow> ModalityRows();

// True if `word` is `pattern`, whose '*' at either end stand for any letters.
bool MatchesPattern(std::string_view word, std::string_view pattern);

// The block that a module of this name opens; empty if the word says nothing.
std::optional<Block> BlockOf(std::string_view word);

// The vision, audio or projector stack that a word of a name tells of; empty if none.
std::string_view ModalityStackOf(std::string_view word);

// The row for the module whose last word is `last` and whose last but one is `parent` (may be
// empty); null if none fits. `has_sibling` tells whether the parent holds a module of that name.
const RoleRow* FindRoleRow(std::string_view parent, std::string_view last, Block block,
                           const std::function<bool(std::string_view)>& has_sibling);

// What the words between '_' of a name unknown to all rows hint at; kOther if nothing.
Role HintedRole(std::string_view last, Block block);

// True if some row names exactly this last word.
bool IsKnownLastWord(std::string_view last);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_ROLE_TABLE_H_
