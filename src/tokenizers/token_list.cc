#include "tokenizers/token_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace tensorguard::internal {

Result<void> TokenList::Add(uint64_t id, std::string_view text, TokenClass token_class) {
  if (id > kHighestTokenId) {
    return Error{.problem = "token id is out of range",
                 .found = fmt::format("{}", id),
                 .expected = fmt::format("at most {}", kHighestTokenId)};
  }
  if (text.size() > std::numeric_limits<uint32_t>::max()) {
    return Error{.problem = "token is too long", .found = fmt::format("{} bytes", text.size())};
  }
  entries_.push_back({.begin = strings_.size(),
                      .length = static_cast<uint32_t>(text.size()),
                      .id = static_cast<uint32_t>(id),
                      .token_class = token_class});
  strings_ += text;
  return {};
}

Result<void> TokenList::SortById() {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.id < b.id; });
  const auto twice =
      std::adjacent_find(entries_.begin(), entries_.end(),
                         [](const Entry& a, const Entry& b) { return a.id == b.id; });
  if (twice == entries_.end()) return {};
  const size_t index = static_cast<size_t>(twice - entries_.begin());
  return Error{.problem = fmt::format("two tokens have the id {}", (*this)[index].id),
               .found = fmt::format("\"{}\" and \"{}\"", EscapeControl((*this)[index].text, 80),
                                    EscapeControl((*this)[index + 1].text, 80)),
               .expected = "an id of its own for every token"};
}

}  // namespace tensorguard::internal
