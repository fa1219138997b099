#include "comparison/findings/rounding_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "comparison/thresholds.h"
#include "comparison/weight_pairs.h"
#include "safetensors/dtype.h"

namespace tensorguard::internal {
namespace {

// Elements in rows and columns that are all zero.
double ZerosInBlocks(const WeightSummary& weight) {
  return weight.zero_row_fraction + weight.zero_column_fraction -
         weight.zero_row_fraction * weight.zero_column_fraction;
}

// Of the elements outside such rows and columns, those that are zero.
double ScatteredZeros(const WeightSummary& weight) {
  const double outside = 1 - ZerosInBlocks(weight);
  if (outside <= 0) return 0;
  return std::max(0.0, (weight.zero_fraction - ZerosInBlocks(weight)) / outside);
}

// Means over the matrices of a model that have the value and are not all zero.
struct GridStatistics {
  std::optional<double> distinct_per_32 = {};
  std::optional<double> distinct_per_256 = {};
  // What 32 neighbours would have if only zeros made values equal: each other one a value of its
  // own, and zero.
  double distinct_but_for_zeros = 32;
  double zeros = 0;  // scattered ones
  double two_of_four = 0;
};

void AddTo(std::optional<double>& sum, std::optional<double> value) {
  if (value) sum = sum.value_or(0) + *value;
}

GridStatistics StatisticsOf(const Fingerprint& fingerprint) {
  GridStatistics statistics;
  double matrices = 0;
  double with_32 = 0;
  double with_256 = 0;
  double all_zeros = 0;
  for (const WeightSummary& weight : fingerprint.weights) {
    if (!IsLearnedMatrix(weight) || weight.norm == 0) continue;
    ++matrices;
    if (weight.distinct_per_32) ++with_32;
    if (weight.distinct_per_256) ++with_256;
    AddTo(statistics.distinct_per_32, weight.distinct_per_32);
    AddTo(statistics.distinct_per_256, weight.distinct_per_256);
    all_zeros += weight.zero_fraction;
    statistics.zeros += ScatteredZeros(weight);
    statistics.two_of_four += weight.two_of_four_fraction.value_or(0);
  }
  if (matrices == 0) return statistics;
  if (statistics.distinct_per_32) *statistics.distinct_per_32 /= with_32;
  if (statistics.distinct_per_256) *statistics.distinct_per_256 /= with_256;
  statistics.zeros /= matrices;
  statistics.two_of_four /= matrices;
  all_zeros /= matrices;
  statistics.distinct_but_for_zeros = 32 * (1 - all_zeros) + (all_zeros > 0 ? 1 : 0);
  return statistics;
}

// Fewer values than zeros alone would leave.
bool OnGrid(const GridStatistics& statistics, double most_values) {
  return statistics.distinct_per_32 && *statistics.distinct_per_32 <= most_values &&
         *statistics.distinct_per_32 <= kGridShare * statistics.distinct_but_for_zeros;
}

bool OnEightBitGrid(const GridStatistics& own, const GridStatistics& other) {
  return own.distinct_per_256 && other.distinct_per_256 &&
         *own.distinct_per_256 < kEightBitShare * *other.distinct_per_256;
}

std::string BitsThatAllow(const GridStatistics& own) {
  if (*own.distinct_per_32 > kFourBitValues) {
    return "as 5 or 6 bits, 4 bits in groups of 16, or floats of 8 bits allow";
  }
  // Zeros leave fewer values than the grid has.
  if (own.zeros >= kSparseGridZeros) return "zeros among them, as few bits allow";
  return fmt::format("as {:.0f} bits allow",
                     std::ceil(std::log2(std::max(2.0, *own.distinct_per_32))));
}

std::optional<Finding> DescribeGrid(const Fingerprint& fingerprint, const GridStatistics& own,
                                    const GridStatistics& other, Side side) {
  if (OnGrid(own, kCoarseGridValues)) {
    Finding finding{
        .kind = FindingKind::kQuantised,
        .text = fmt::format("{} is quantised: 32 neighbouring weights have {:.1f} "
                            "different values, {}.",
                            fingerprint.model_name, *own.distinct_per_32, BitsThatAllow(own))};
    if (!OnGrid(other, kCoarseGridValues)) finding.derived = side;
    return finding;
  }
  const bool zeros = own.zeros >= kPrunedZeros;  // they too leave fewer different values
  if (zeros || OnGrid(other, kCoarseGridValues) || !OnEightBitGrid(own, other)) return std::nullopt;
  return Finding{
      .kind = FindingKind::kQuantised,
      .text = fmt::format("{} is probably quantised to 8 bits: 256 neighbouring weights "
                          "have {:.0f} different values, {:.0f} in the other model.",
                          fingerprint.model_name, *own.distinct_per_256, *other.distinct_per_256),
      .derived = side};
}

// How the file of one model holds its matrices.
struct StoredForm {
  std::map<std::string, size_t> quantised;  // matrices of each scheme or block type
  size_t matrices = 0;
};

StoredForm StoredFormOf(const Fingerprint& fingerprint) {
  StoredForm form;
  for (const WeightSummary& weight : fingerprint.weights) {
    if (!IsLearnedMatrix(weight)) continue;
    ++form.matrices;
    const auto blocks = AllBlockTypes();
    if (!weight.quantisation.empty()) {
      ++form.quantised[weight.quantisation];
    } else if (std::any_of(blocks.begin(), blocks.end(),
                           [&](const DTypeInfo& type) { return type.name == weight.dtype; })) {
      ++form.quantised[weight.dtype];
    }
  }
  return form;
}

// The commonest form stands for the others.
Finding DescribeStored(const Fingerprint& fingerprint, const StoredForm& own,
                       const StoredForm& other, Side side) {
  const auto most = std::max_element(
      own.quantised.begin(), own.quantised.end(),
      [](const auto& one, const auto& another) { return one.second < another.second; });
  Finding finding{
      .kind = FindingKind::kQuantised,
      .text = fmt::format("{} is stored quantised: {} ({} of {} matrices).", fingerprint.model_name,
                          most->first, most->second, own.matrices)};
  if (other.quantised.empty()) finding.derived = side;
  return finding;
}

bool TwoOfFour(const GridStatistics& own) {
  return own.two_of_four > kEveryGroup && own.zeros < kMostTwoOfFour;
}

// A grid of few values has zeros of its own: an eighth of 4 bits, nearly half of three values.
bool GridMakesZeros(const GridStatistics& own) {
  if (!OnGrid(own, kCoarseGridValues) || TwoOfFour(own)) return false;
  return own.zeros < kSparseGridZeros || *own.distinct_per_32 <= kTernaryValues;
}

std::optional<Finding> DescribePruned(const Fingerprint& fingerprint, const GridStatistics& own,
                                      const GridStatistics& other, Side side) {
  if (GridMakesZeros(own) || own.zeros < kPrunedZeros || own.zeros < 2 * other.zeros) {
    return std::nullopt;
  }
  return Finding{.kind = FindingKind::kZeros,
                 .text = fmt::format("{} is pruned: {:.0f} % of its weights are exactly zero{}.",
                                     fingerprint.model_name, 100 * own.zeros,
                                     TwoOfFour(own) ? ", two in every four" : ""),
                 .derived = side};
}

// Matrices that have zero rows or columns, or nothing but zeros, where the other model has numbers.
struct ZeroBlocks {
  size_t blocks = 0;
  size_t whole = 0;
  std::set<Role> roles_of_blocks;
  std::set<Role> roles_of_whole;
};

ZeroBlocks BlocksIn(const Fingerprint& own, const Fingerprint& other) {
  ZeroBlocks zeros;
  for (const WeightPair& pair : PairWeights(own, other, LayersByIndex(own, other))) {
    const WeightSummary& weight = own.weights[pair.in_a];
    const WeightSummary& counterpart = other.weights[pair.in_b];
    if (!IsLearnedMatrix(weight) || !SameShape(weight, counterpart)) continue;
    if (weight.norm == 0 && counterpart.norm > 0) {
      ++zeros.whole;
      zeros.roles_of_whole.insert(weight.role.role);
    } else if (ZerosInBlocks(weight) > ZerosInBlocks(counterpart) + kDeadBlockShare &&
               ZerosInBlocks(weight) >= kBlocksAmongZeros * weight.zero_fraction) {
      ++zeros.blocks;
      zeros.roles_of_blocks.insert(weight.role.role);
    }
  }
  return zeros;
}

std::string Names(const std::set<Role>& roles) {
  std::string names;
  for (const Role role : roles) {
    if (!names.empty()) names += ", ";
    names += RoleName(role);
  }
  return names;
}

std::vector<Finding> DescribeBlocks(const Fingerprint& fingerprint, const ZeroBlocks& zeros,
                                    Side side) {
  std::vector<Finding> findings;
  if (zeros.whole > 0) {
    findings.push_back(
        {.kind = FindingKind::kZeros,
         .text = fmt::format("{} matrices of {} hold nothing but zeros ({}).", zeros.whole,
                             fingerprint.model_name, Names(zeros.roles_of_whole)),
         .derived = side});
  }
  if (zeros.blocks > 0) {
    findings.push_back(
        {.kind = FindingKind::kZeros,
         .text = fmt::format("In {} matrices of {} ({}) blocks of whole rows or columns are zero: "
                             "heads or hidden units were put out of use.",
                             zeros.blocks, fingerprint.model_name, Names(zeros.roles_of_blocks)),
         .derived = side});
  }
  return findings;
}

}  // namespace

std::vector<Finding> FindRounding(const Fingerprint& a, const Fingerprint& b) {
  std::vector<Finding> findings;
  const auto add = [&](std::optional<Finding> finding) {
    if (finding) findings.push_back(std::move(*finding));
  };
  const GridStatistics in_a = StatisticsOf(a);
  const GridStatistics in_b = StatisticsOf(b);
  const StoredForm stored_a = StoredFormOf(a);
  const StoredForm stored_b = StoredFormOf(b);
  const auto describe = [&](const Fingerprint& model, const Fingerprint& other_model,
                            const StoredForm& stored, const StoredForm& stored_other,
                            const GridStatistics& own, const GridStatistics& other, Side side) {
    if (!stored.quantised.empty()) {
      add(DescribeStored(model, stored, stored_other, side));
    } else {
      add(DescribeGrid(model, own, other, side));
      add(DescribePruned(model, own, other, side));
    }
    for (Finding& finding : DescribeBlocks(model, BlocksIn(model, other_model), side)) {
      findings.push_back(std::move(finding));
    }
  };
  describe(a, b, stored_a, stored_b, in_a, in_b, Side::kA);
  describe(b, a, stored_b, stored_a, in_b, in_a, Side::kB);
  return findings;
}

}  // namespace tensorguard::internal
