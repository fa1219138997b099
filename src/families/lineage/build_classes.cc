#include "families/lineage/build_classes.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace tensorguard::internal {
namespace {

// Sets that the linked pairs make of `models`, by their first member.
std::vector<std::vector<size_t>> Linked(std::span<const size_t> models, const Kinships& kinships,
                                        const std::function<bool(const Kinship&)>& is_link) {
  std::map<size_t, size_t> above;
  for (const size_t model : models) above[model] = model;
  const auto top = [&](size_t model) {
    while (above[model] != model) model = above[model] = above[above[model]];
    return model;
  };
  for (const auto& [pair, kinship] : kinships.pairs()) {
    if (!above.contains(pair.first) || !above.contains(pair.second) || !is_link(kinship)) continue;
    const size_t one = top(pair.first);
    const size_t other = top(pair.second);
    above[std::max(one, other)] = std::min(one, other);
  }
  std::map<size_t, std::vector<size_t>> sets;
  for (const size_t model : models) sets[top(model)].push_back(model);
  std::vector<std::vector<size_t>> result;
  for (auto& [first, set] : sets) result.push_back(std::move(set));
  return result;
}

}  // namespace

std::vector<std::vector<size_t>> FamiliesOf(size_t models, const Kinships& kinships) {
  std::vector<size_t> all(models);
  std::iota(all.begin(), all.end(), size_t{0});
  return Linked(all, kinships, [](const Kinship& kinship) { return kinship.related; });
}

std::vector<std::vector<size_t>> BuildClassesOf(std::span<const size_t> family,
                                                const Kinships& kinships) {
  std::vector<std::vector<size_t>> classes;
  for (const size_t model : family) {
    const auto fits = [&](const std::vector<size_t>& members) {
      return std::all_of(members.begin(), members.end(), [&](size_t member) {
        const Kinship* kinship = kinships.Between(model, member);
        return kinship != nullptr && kinship->related && !kinship->squared_distances.empty();
      });
    };
    const auto found = std::find_if(classes.begin(), classes.end(), fits);
    if (found == classes.end()) {
      classes.push_back({model});
    } else {
      found->push_back(model);
    }
  }
  return classes;
}

std::vector<std::vector<size_t>> FunctionGroupsOf(std::span<const size_t> family,
                                                  const Kinships& kinships) {
  auto groups =
      Linked(family, kinships, [](const Kinship& kinship) { return kinship.same_function; });
  std::erase_if(groups, [](const std::vector<size_t>& group) { return group.size() < 2; });
  return groups;
}

}  // namespace tensorguard::internal
