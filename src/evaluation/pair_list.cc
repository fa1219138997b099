#include "evaluation/pair_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/json/json_members.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 1> kSchemas = {"tensorguard.pairs/1"};
constexpr std::array<std::string_view, 2> kRelations = {"independent", "derived"};
constexpr size_t kMostPairs = 100'000;

ListedPair PairOf(JsonMembers& members) {
  ListedPair pair = {.a = members.Text("a"),
                     .b = members.Text("b"),
                     .derived = members.Choice("relation", kRelations) == 1,
                     .kind = members.Text("kind"),
                     .source = members.Text("source")};
  if (pair.a == pair.b) members.Fail("b", pair.b, "another model than a");
  return pair;
}

}  // namespace

bool IsPairList(const Json& json) { return json.is_object() && json.contains("pairs"); }

Result<std::vector<ListedPair>> ReadPairList(const Json& json) {
  JsonMembers list(json, "");
  list.Choice("schema", kSchemas);
  const Json& entries = list.Array("pairs", kMostPairs);
  TG_TRY(list.Check());
  std::vector<ListedPair> pairs;
  std::set<std::pair<std::string, std::string>> seen;
  for (const Json& entry : entries) {
    JsonMembers members(entry, fmt::format("pairs[{}]", pairs.size()));
    ListedPair pair = PairOf(members);
    const bool is_new = seen.insert(std::minmax(pair.a, pair.b)).second;
    if (!is_new) members.Fail("b", pair.b, "a pair that is not in the list");
    TG_TRY(members.Check());
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

}  // namespace tensorguard::internal
