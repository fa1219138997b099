#include "families/lineage/class_tree.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/random_bits.h"
#include "families/lineage/increment_tree.h"

namespace tensorguard::internal {
namespace {

// docs/lineage.md#direction. Odds by the pair's signs that a step along the tree needs to have a
// direction, and the share of its way that other models may have in common with it.
constexpr double kOddsOfStep = 0.65;
constexpr double kMostShared = 0.5;
// How far the root must be ahead of the next that may be it: weight decay can turn that round.
constexpr double kLeastLead = 0.2;
// A root whose children go the same way before they part, and did not grow from it, is one of them.
constexpr double kLeastShared = 0.35;
constexpr double kOddsOfSiblings = 0.5;
constexpr uint64_t kBootstrapKey = 0x6c69'6e65'6167'6500;

double MedianOf(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

std::vector<size_t> ChildrenOf(const IncrementTree& tree, size_t parent) {
  std::vector<size_t> children;
  for (const auto& [child, own] : tree.parents()) {
    if (own == parent) children.push_back(child);
  }
  return children;
}

// Whether the root is one of several that were made from a model that is not there.
bool LacksParent(const IncrementTree& tree, const Kinships& kinships,
                 const std::map<size_t, std::set<size_t>>& merges) {
  std::vector<double> odds;
  std::vector<size_t> children;
  for (const size_t child : ChildrenOf(tree, tree.root())) {
    if (merges.contains(child)) continue;
    if (kinships.Told(tree.root(), child)) return false;
    children.push_back(child);
    odds.push_back(std::abs(kinships.Odds(tree.root(), child)));
  }
  if (children.empty() || MedianOf(odds) > kOddsOfSiblings) return false;
  std::vector<double> cosines;
  for (size_t i = 0; i < children.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      cosines.push_back(tree.Cosine(tree.root(), children[i], children[j]));
    }
  }
  return cosines.empty() || MedianOf(cosines) >= kLeastShared;
}

std::vector<size_t> Sample(size_t matrices, size_t round) {
  std::vector<size_t> sample(matrices);
  for (size_t i = 0; i < matrices; ++i) {
    sample[i] = RandomBits(kBootstrapKey + round, i) % matrices;
  }
  return sample;
}

struct Counts {
  std::map<size_t, std::map<size_t, size_t>> parents;  // of each child
  size_t lacking = 0;
};

Counts Bootstrap(std::span<const size_t> members, const Kinships& kinships,
                 const std::map<size_t, std::set<size_t>>& merges, size_t matrices, size_t rounds,
                 std::optional<size_t> root) {
  Counts counts;
  IncrementTree tree(members, kinships, merges);
  for (size_t round = 0; round < rounds; ++round) {
    tree.Build(Sample(matrices, round), root);
    for (const auto& [child, parent] : tree.parents()) ++counts.parents[child][parent];
    if (LacksParent(tree, kinships, merges)) ++counts.lacking;
  }
  return counts;
}

bool IsDirected(const IncrementTree& tree, const Kinships& kinships, size_t parent, size_t child) {
  if (kinships.Told(parent, child)) return true;
  if (kinships.Odds(parent, child) < kOddsOfStep || tree.root_lead() < kLeastLead) return false;
  const auto shared = tree.SharedPath(parent, child);
  return shared && *shared <= kMostShared;
}

// One more of each than was counted, so that nothing is certain.
double ShareOf(size_t count, size_t rounds) {
  return (static_cast<double>(count) + 1) / (static_cast<double>(rounds) + 2);
}

std::optional<size_t> RunnerUp(const IncrementTree& tree, std::span<const size_t> members,
                               const std::map<size_t, size_t>& counted, size_t child,
                               size_t parent) {
  std::optional<size_t> best;
  size_t most = 0;
  for (const auto& [other, count] : counted) {
    if (other == parent || count <= most) continue;
    most = count;
    best = other;
  }
  if (best) return best;
  for (const size_t other : members) {
    if (other == child || other == parent) continue;
    const auto above = tree.parents().find(other);
    if (above != tree.parents().end() && above->second == child) continue;
    if (!best || tree.Distance(other, child) < tree.Distance(*best, child)) best = other;
  }
  return best;
}

}  // namespace

ClassTree BuildClassTree(std::span<const size_t> members, const Kinships& kinships,
                         const std::map<size_t, std::set<size_t>>& merges, size_t rounds,
                         std::optional<size_t> root) {
  ClassTree result{.members = {members.begin(), members.end()}, .root = members.front()};
  if (members.size() == 1) return result;
  const size_t matrices = kinships.Between(members[0], members[1])->squared_distances.size();
  std::vector<size_t> all(matrices);
  std::iota(all.begin(), all.end(), size_t{0});
  std::map<size_t, std::set<size_t>> own_merges;
  for (const size_t member : members) {
    if (const auto merge = merges.find(member); merge != merges.end()) own_merges.insert(*merge);
  }
  IncrementTree tree(members, kinships, own_merges);
  tree.Build(all, root);
  result.root = tree.root();
  result.root_is_sure = tree.root_lead() >= kLeastLead;
  const Counts counts = Bootstrap(members, kinships, own_merges, matrices, rounds, root);
  if (LacksParent(tree, kinships, own_merges)) {
    result.missing_parent = ShareOf(counts.lacking, rounds);
  }
  for (const auto& [child, parent] : tree.parents()) {
    const auto found = counts.parents.find(child);
    const auto counted = found == counts.parents.end() ? std::map<size_t, size_t>() : found->second;
    const size_t times = counted.contains(parent) ? counted.at(parent) : 0;
    result.edges.push_back({.child = child,
                            .parent = parent,
                            .directed = IsDirected(tree, kinships, parent, child),
                            .certainty = ShareOf(times, rounds),
                            .runner_up = RunnerUp(tree, members, counted, child, parent)});
  }
  return result;
}

}  // namespace tensorguard::internal
