#include "families/lineage/increment_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "comparison/thresholds.h"
#include "families/merges/change_fit.h"

namespace tensorguard::internal {
namespace {

// docs/lineage.md#descent. What a descendant holds of an ancestor's change, how near the two
// changes are, and how even that is over the matrices.
constexpr double kLeastHeld = 0.7;
constexpr double kMostHeld = 1.25;
constexpr double kLeastCosine = 0.45;
constexpr double kMostUneven = 0.125;
constexpr double kMostUnevenIfClear = 0.16;
// Odds by the pair's own signs that a descent needs.
constexpr double kLeastOdds = 0.3;
constexpr double kClearOdds = 1;
// Odds at which a pair's vote for the root begins to count in full.
constexpr double kOddsOfVote = 1.2;

constexpr double kVoteOfTold = 2;

constexpr double kNoDistance = 1e-12;

double MedianOf(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// A quarter of them are less.
double QuarterOf(std::vector<double> values) {
  const auto quarter = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 4);
  std::nth_element(values.begin(), quarter, values.end());
  return *quarter;
}

}  // namespace

IncrementTree::IncrementTree(std::span<const size_t> members, const Kinships& kinships,
                             const std::map<size_t, std::set<size_t>>& merges)
    : members_(members.begin(), members.end()), kinships_(kinships), merges_(merges) {}

const std::vector<double>& IncrementTree::Distances(size_t a, size_t b) const {
  return kinships_.Between(a, b)->squared_distances;
}

void IncrementTree::Build(std::span<const size_t> matrices, std::optional<size_t> root) {
  AddUp(matrices);
  parents_.clear();
  if (root) {
    root_ = *root;
  } else {
    ChooseRoot();
  }
  std::vector<size_t> others;
  for (const size_t member : members_) {
    if (member != root_) others.push_back(member);
  }
  Place(root_, others);
}

void IncrementTree::BuildRooted(size_t root) {
  if (members_.size() < 2) return;
  std::vector<size_t> all(Distances(members_[0], members_[1]).size());
  std::iota(all.begin(), all.end(), size_t{0});
  AddUp(all);
  parents_.clear();
  root_ = root;
}

void IncrementTree::AddUp(std::span<const size_t> matrices) {
  matrices_.assign(matrices.begin(), matrices.end());
  totals_.clear();
  for (size_t i = 0; i < members_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const auto& distances = Distances(members_[i], members_[j]);
      double total = 0;
      for (const size_t matrix : matrices_) total += distances[matrix];
      totals_[std::minmax(members_[i], members_[j])] = total;
    }
  }
}

double IncrementTree::Distance(size_t a, size_t b) const {
  if (a == b) return 0;
  return totals_.at(std::minmax(a, b));
}

double IncrementTree::Product(size_t origin, size_t x, size_t u, size_t matrix) const {
  const double between = x == u ? 0 : Distances(x, u)[matrix];
  return (Distances(x, origin)[matrix] + Distances(u, origin)[matrix] - between) / 2;
}

double IncrementTree::Cosine(size_t origin, size_t x, size_t u) const {
  const double xx = Distance(x, origin);
  const double uu = Distance(u, origin);
  if (xx <= kNoDistance || uu <= kNoDistance) return 0;
  return (xx + uu - Distance(x, u)) / 2 / std::sqrt(xx * uu);
}

HeldChange IncrementTree::Held(size_t origin, size_t x, size_t u) const {
  const double xx = Distance(x, origin);
  const double uu = Distance(u, origin);
  HeldChange held{.uneven = std::numeric_limits<double>::infinity()};
  if (xx <= kNoDistance || uu <= kNoDistance) return held;
  const double xu = (xx + uu - Distance(x, u)) / 2;
  held.share = xu / xx;
  held.cosine = xu / std::sqrt(xx * uu);
  if (held.share < kLeastHeld || held.share > kMostHeld || held.cosine < kLeastCosine) {
    return held;
  }
  double sum = 0;
  double squares = 0;
  double expected = 0;
  double count = 0;
  for (const size_t matrix : matrices_) {
    const double own = Distances(x, origin)[matrix];
    if (own <= kNoDistance) continue;
    const double product = Product(origin, x, u, matrix);
    const double share = product / own;
    sum += share;
    squares += share * share;
    expected +=
        (own * Distances(u, origin)[matrix] + product * product) / (kSketchFreedom * own * own);
    ++count;
  }
  if (count == 0 || sum <= 0) return held;
  const double mean = sum / count;
  const double variance = squares / count - mean * mean - expected / count;
  held.uneven = std::sqrt(std::max(0.0, variance)) / mean;
  const double cosine = std::min(1.0, held.cosine);
  const double other = std::sqrt(1 - cosine * cosine) / cosine;
  held.evener_than_training = held.uneven <= kEvenerThanTraining * other &&
                              UnevennessOfOther(origin, x, u, held.share) <= kMostUnevenDropped;
  return held;
}

double IncrementTree::UnevennessOfOther(size_t origin, size_t x, size_t u, double share) const {
  double sum = 0;
  double squares = 0;
  double expected = 0;
  double count = 0;
  for (const size_t matrix : matrices_) {
    const double own = Distances(x, origin)[matrix];
    if (own <= kNoDistance) continue;
    const double other =
        std::max(0.0, Distances(u, origin)[matrix] - 2 * share * Product(origin, x, u, matrix) +
                          share * share * own);
    sum += other / own;
    squares += other * other / (own * own);
    expected += 4 * other * other / (own * own * kSketchFreedom);
    ++count;
  }
  if (sum <= 0) return 0;
  const double mean = sum / count;
  return std::sqrt(std::max(0.0, squares / count - mean * mean - expected / count)) / mean;
}

// The root is what all others came after, by the signs of the pairs, and where some of their
// changes have nothing in common: seen from a leaf, all others share the way back to where it
// branched off. Many may go one way from a root, merges of the same models for one.
void IncrementTree::ChooseRoot() {
  std::map<size_t, double> scores;
  for (const size_t candidate : members_) {
    if (merges_.contains(candidate) && merges_.size() < members_.size()) continue;
    scores[candidate] = ScoreAsRoot(candidate);
  }
  const auto best =
      std::max_element(scores.begin(), scores.end(),
                       [](const auto& x, const auto& y) { return x.second < y.second; });
  root_ = best->first;
  // What is shown to have come after the root is no rival, however near it is.
  root_lead_ = std::numeric_limits<double>::infinity();
  for (const auto& [rival, score] : scores) {
    if (rival == root_ || kinships_.Told(root_, rival)) continue;
    root_lead_ = std::min(root_lead_, best->second - score);
  }
}

double IncrementTree::ScoreAsRoot(size_t candidate) const {
  double votes = 0;
  std::vector<double> shared;
  for (size_t i = 0; i < members_.size(); ++i) {
    const size_t one = members_[i];
    if (one == candidate) continue;
    const double vote = std::tanh(kinships_.Odds(candidate, one) / kOddsOfVote);
    votes += kinships_.Told(candidate, one) ? kVoteOfTold : vote;
    for (size_t j = 0; j < i; ++j) {
      if (members_[j] == candidate) continue;
      shared.push_back(std::max(0.0, Cosine(candidate, one, members_[j])));
    }
  }
  const auto others = static_cast<double>(members_.size() - 1);
  return votes / others - (shared.empty() ? 0 : QuarterOf(std::move(shared)));
}

bool IncrementTree::ContinuesFrom(size_t origin, size_t x, size_t model) const {
  const Kinship* kinship = kinships_.Between(x, model);
  if (kinship->same_function || kinships_.Odds(x, model) < kLeastOdds) return false;
  if (Distance(x, model) >= Distance(origin, model)) return false;
  const bool clear = kinships_.Odds(x, model) >= kClearOdds;
  const HeldChange held = Held(origin, x, model);
  if (held.evener_than_training && !kinships_.Told(x, model)) return false;
  return held.uneven <= (clear ? kMostUnevenIfClear : kMostUneven);
}

std::optional<size_t> IncrementTree::BestBetween(size_t origin, size_t model,
                                                 const std::vector<size_t>& models) const {
  std::optional<size_t> best;
  double nearest = Distance(origin, model);
  for (const size_t x : models) {
    if (x == model || merges_.contains(x) || Distance(x, model) >= nearest) continue;
    if (!ContinuesFrom(origin, x, model)) continue;
    best = x;
    nearest = Distance(x, model);
  }
  // What was made from a merge is nearer to it than to all that the merge was made from.
  for (const auto& [merge, parents] : merges_) {
    if (merge == model || parents.contains(model)) continue;
    if (std::find(models.begin(), models.end(), merge) == models.end()) continue;
    if (Distance(merge, model) >= kMuchNearerToMerge * nearest) continue;
    if (!ContinuesFrom(origin, merge, model)) continue;
    best = merge;
    nearest = Distance(merge, model);
  }
  return best;
}

void IncrementTree::Place(size_t origin, const std::vector<size_t>& models) {
  std::map<size_t, size_t> above;
  for (const size_t model : models) {
    if (const auto best = BestBetween(origin, model, models)) above[model] = *best;
  }
  // Two that would each be above the other are both below the origin.
  for (const size_t model : models) {
    std::set<size_t> seen = {model};
    size_t at = model;
    while (above.contains(at)) {
      at = above[at];
      if (seen.insert(at).second) continue;
      above.erase(at);
      break;
    }
  }
  std::map<size_t, std::vector<size_t>> below;
  for (const size_t model : models) {
    if (!above.contains(model)) {
      parents_[model] = origin;
      below[model];
      continue;
    }
    size_t top = model;
    while (above.contains(top)) top = above[top];
    below[top].push_back(model);
  }
  for (const auto& [top, under] : below) {
    if (!under.empty()) Place(top, under);
  }
}

bool IncrementTree::IsBelow(size_t model, size_t ancestor) const {
  while (model != ancestor) {
    const auto parent = parents_.find(model);
    if (parent == parents_.end()) return false;
    model = parent->second;
  }
  return true;
}

std::optional<double> IncrementTree::SharedPath(size_t origin, size_t model) const {
  std::vector<double> cosines;
  for (const size_t other : members_) {
    if (other == origin || other == model) continue;
    if (IsBelow(other, model) || merges_.contains(other)) continue;
    if (Distance(origin, other) <= kNoDistance) continue;
    cosines.push_back(Cosine(origin, model, other));
  }
  if (cosines.empty()) return std::nullopt;
  return MedianOf(std::move(cosines));
}

}  // namespace tensorguard::internal
