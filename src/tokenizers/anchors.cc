#include "tokenizers/anchors.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "anchors/anchor_list.h"

namespace tensorguard::internal {

std::vector<AnchorToken> FindAnchors(const Vocabulary& vocabulary) {
  const auto list = AnchorList();
  std::map<std::string_view, uint32_t> wanted;
  for (uint32_t anchor = 0; anchor < list.size(); ++anchor) wanted.emplace(list[anchor], anchor);

  std::vector<AnchorToken> found;
  for (size_t i = 0; i < vocabulary.tokens.size() && !wanted.empty(); ++i) {
    const Token token = vocabulary.tokens[i];
    const bool is_text =
        token.token_class == TokenClass::kText || token.token_class == TokenClass::kLiteral;
    if (!is_text) continue;
    const auto match = wanted.find(token.text);
    if (match == wanted.end()) continue;
    found.push_back({.anchor = match->second, .token_id = token.id});
    wanted.erase(match);  // tokens come in the order of their ids: the first is the lowest
  }
  std::sort(found.begin(), found.end(),
            [](const AnchorToken& a, const AnchorToken& b) { return a.anchor < b.anchor; });
  return found;
}

}  // namespace tensorguard::internal
