#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "architecture/role_table.h"

namespace tensorguard::internal {
namespace {

// Rows by the last word of their path, so that a name is not held against every row.
struct RowIndex {
  std::map<std::string_view, std::vector<const RoleRow*>> by_last_word;
  std::vector<const RoleRow*> patterns;  // rows whose last word has a '*'
};

std::string_view LastWord(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::string_view ParentWord(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

RowIndex BuildIndex() {
  RowIndex index;
  for (const RoleRow& row : RoleRows()) {
    const std::string_view last = LastWord(row.path);
    if (last.find('*') != std::string_view::npos) {
      index.patterns.push_back(&row);
    } else {
      index.by_last_word[last].push_back(&row);
    }
  }
  return index;
}

const RowIndex& Index() {
  static const RowIndex index = BuildIndex();
  return index;
}

bool Fits(const RoleRow& row, std::string_view parent, Block block,
          const std::function<bool(std::string_view)>& has_sibling) {
  if (row.block != Block::kAny && row.block != block) return false;
  const std::string_view wanted_parent = ParentWord(row.path);
  if (!wanted_parent.empty() && !MatchesPattern(parent, wanted_parent)) return false;
  return row.beside.empty() || has_sibling(row.beside);
}

}  // namespace

bool MatchesPattern(std::string_view word, std::string_view pattern) {
  const bool open_start = pattern.starts_with('*');
  const bool open_end = pattern.ends_with('*');
  if (open_start) pattern.remove_prefix(1);
  if (open_end && !pattern.empty()) pattern.remove_suffix(1);
  if (open_start && open_end) return word.find(pattern) != std::string_view::npos;
  if (open_start) return word.ends_with(pattern);
  if (open_end) return word.starts_with(pattern);
  return word == pattern;
}

std::optional<Block> BlockOf(std::string_view word) {
  for (const BlockRow& row : BlockRows()) {
    if (MatchesPattern(word, row.word)) return row.block;
  }
  return {};
}

std::string_view ModalityStackOf(std::string_view word) {
  for (const StackRow& row : ModalityRows()) {
    if (MatchesPattern(word, row.word)) return row.stack;
  }
  return {};
}

const RoleRow* FindRoleRow(std::string_view parent, std::string_view last, Block block,
                           const std::function<bool(std::string_view)>& has_sibling) {
  const RoleRow* best = nullptr;
  const auto found = Index().by_last_word.find(last);
  if (found != Index().by_last_word.end()) {
    for (const RoleRow* row : found->second) {
      if (!Fits(*row, parent, block, has_sibling)) continue;
      best = row;
      break;
    }
  }
  // Rows lie in one array: of two that fit, the one at the lower address is the earlier.
  for (const RoleRow* row : Index().patterns) {
    if (best != nullptr && row > best) break;
    if (MatchesPattern(last, row->path) && Fits(*row, parent, block, has_sibling)) return row;
  }
  return best;
}

Role HintedRole(std::string_view last, Block block) {
  for (const HintRow& row : HintRows()) {
    if (row.block != block) continue;
    for (size_t begin = 0; begin < last.size();) {
      const size_t end = std::min(last.find('_', begin), last.size());
      if (last.substr(begin, end - begin) == row.word) return row.role;
      begin = end + 1;
    }
  }
  return Role::kOther;
}

bool IsKnownLastWord(std::string_view last) { return Index().by_last_word.contains(last); }

}  // namespace tensorguard::internal
