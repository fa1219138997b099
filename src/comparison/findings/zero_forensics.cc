#include "comparison/findings/zero_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "comparison/measures/role_names.h"
#include "comparison/measures/value_grid.h"
#include "comparison/thresholds.h"
#include "comparison/weight_pairs.h"

namespace tensorguard::internal {
namespace {

bool TwoOfFour(const WeightSummary& weight) {
  return weight.two_of_four_fraction.value_or(0) > kEveryGroup &&
         ScatteredZeros(weight) < kMostTwoOfFour;
}

// A grid of few values has zeros of its own: an eighth of 4 bits, two thirds of three values.
bool GridMakesZeros(const WeightSummary& weight) {
  if (!IsOnGrid(weight) || TwoOfFour(weight)) return false;
  return !HasZerosBesideGrid({.distinct = *weight.distinct_per_32,
                              .zeros = ScatteredZeros(weight),
                              .columns = static_cast<double>(weight.columns)});
}

double MeanZeros(const Fingerprint& model) {
  double zeros = 0;
  double matrices = 0;
  for (const WeightSummary& weight : model.weights) {
    if (!IsLearnedMatrix(weight) || weight.norm == 0) continue;
    zeros += ScatteredZeros(weight);
    ++matrices;
  }
  return matrices == 0 ? 0 : zeros / matrices;
}

// Matrices that have zero rows or columns, or nothing but zeros, where the other model has numbers.
struct ZeroBlocks {
  std::vector<const WeightSummary*> blocks;
  std::vector<const WeightSummary*> whole;
};

ZeroBlocks BlocksIn(const Fingerprint& own, const Fingerprint& other) {
  ZeroBlocks zeros;
  for (const WeightPair& pair : PairWeights(own, other, LayersByIndex(own, other))) {
    const WeightSummary& weight = own.weights[pair.in_a];
    const WeightSummary& counterpart = other.weights[pair.in_b];
    if (!IsLearnedMatrix(weight) || !SameShape(weight, counterpart)) continue;
    if (weight.norm == 0 && counterpart.norm > 0) {
      zeros.whole.push_back(&weight);
    } else if (ZerosInBlocks(weight) > ZerosInBlocks(counterpart) + kDeadBlockShare &&
               ZerosInBlocks(weight) >= kBlocksAmongZeros * weight.zero_fraction) {
      zeros.blocks.push_back(&weight);
    }
  }
  return zeros;
}

}  // namespace

std::optional<Finding> FindPruned(const Fingerprint& model, const Fingerprint& other, Side side) {
  std::vector<const WeightSummary*> pruned;
  double zeros = 0;
  double elements = 0;
  size_t all = 0;
  bool two_of_four = true;
  for (const WeightSummary& weight : model.weights) {
    if (!IsLearnedMatrix(weight) || weight.norm == 0) continue;
    ++all;
    if (ScatteredZeros(weight) < kPrunedZeros || GridMakesZeros(weight)) continue;
    pruned.push_back(&weight);
    const double own = static_cast<double>(weight.rows) * static_cast<double>(weight.columns);
    zeros += own * ScatteredZeros(weight);
    elements += own;
    two_of_four &= TwoOfFour(weight);
  }
  if (pruned.empty() || MeanZeros(model) < 2 * MeanZeros(other)) return std::nullopt;
  const std::string where = pruned.size() < all ? fmt::format("in {} of {} matrices ({}) ",
                                                              pruned.size(), all, RoleNames(pruned))
                                                : "";
  return Finding{.kind = FindingKind::kZeros,
                 .text = fmt::format("{} is pruned: {}{:.0f} % of its weights are exactly zero{}.",
                                     model.model_name, where, 100 * zeros / elements,
                                     two_of_four ? ", two in every four" : ""),
                 .derived = side};
}

std::vector<Finding> FindZeroBlocks(const Fingerprint& model, const Fingerprint& other, Side side) {
  const ZeroBlocks zeros = BlocksIn(model, other);
  std::vector<Finding> findings;
  if (!zeros.whole.empty()) {
    findings.push_back(
        {.kind = FindingKind::kZeros,
         .text = fmt::format("{} matrices of {} hold nothing but zeros ({}).", zeros.whole.size(),
                             model.model_name, RoleNames(zeros.whole)),
         .derived = side});
  }
  if (!zeros.blocks.empty()) {
    findings.push_back(
        {.kind = FindingKind::kZeros,
         .text = fmt::format("In {} matrices of {} ({}) blocks of whole rows or columns are zero: "
                             "heads or hidden units were put out of use.",
                             zeros.blocks.size(), model.model_name, RoleNames(zeros.blocks)),
         .derived = side});
  }
  return findings;
}

}  // namespace tensorguard::internal
