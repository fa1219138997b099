#include "comparison/change_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "comparison/change_spectrum.h"
#include "comparison/thresholds.h"
#include "formats/dtype.h"

namespace tensorguard {
namespace {

struct ChangedMatrix {
  const SketchPair* pair;
  const WeightSummary* in_a;
  const WeightSummary* in_b;
  Role role;
  bool large;  // sketched without empty rows, so that its spectrum means something
  uint64_t rows;
  ChangeSpectrum spectrum;
  double norm_difference;  // of the one in a, minus that of the one in b
};

std::vector<ChangedMatrix> ChangedMatrices(const FullFingerprint& a, const FullFingerprint& b,
                                           const SketchComparison& sketches) {
  std::vector<ChangedMatrix> changed;
  for (const SketchPair& pair : sketches.pairs) {
    if (!pair.learned || pair.relative_change <= kUnchanged) continue;
    const WeightSummary& weight = a.weights[pair.weights.in_a];
    const WeightSummary& other = b.weights[pair.weights.in_b];
    changed.push_back({.pair = &pair,
                       .in_a = &weight,
                       .in_b = &other,
                       .role = weight.role.role,
                       .large = std::min(weight.rows, weight.columns) >= 2 * kSketchSize,
                       .rows = weight.rows,
                       .spectrum = SpectrumOfChange(weight, other),
                       .norm_difference = weight.norm - other.norm});
  }
  return changed;
}

size_t LearnedMatrices(const SketchComparison& sketches) {
  return std::count_if(sketches.pairs.begin(), sketches.pairs.end(),
                       [](const SketchPair& pair) { return pair.learned; });
}

std::string RoleNames(const std::vector<ChangedMatrix>& changed) {
  std::set<Role> roles;
  for (const ChangedMatrix& matrix : changed) roles.insert(matrix.role);
  std::string names;
  for (const Role role : roles) {
    if (!names.empty()) names += ", ";
    names += RoleName(role);
  }
  return names;
}

struct ChangeSizes {
  double mean = 0;
  double deviation = 0;
  double highest = 0;
};

ChangeSizes SizesOf(const std::vector<ChangedMatrix>& changed) {
  ChangeSizes sizes;
  double squares = 0;
  for (const ChangedMatrix& matrix : changed) {
    const double change = matrix.pair->relative_change;
    sizes.mean += change;
    squares += change * change;
    sizes.highest = std::max(sizes.highest, change);
  }
  const auto count = static_cast<double>(changed.size());
  sizes.mean /= count;
  sizes.deviation = std::sqrt(std::max(0.0, squares / count - sizes.mean * sizes.mean));
  return sizes;
}

Finding DescribeSizes(const std::vector<ChangedMatrix>& changed, size_t matrices) {
  const ChangeSizes sizes = SizesOf(changed);
  return {
      .kind = FindingKind::kChange,
      .text = fmt::format("{} of {} matrices changed ({}), by {:.2g} of their norm in the mean, "
                          "{:.2g} at most.",
                          changed.size(), matrices, RoleNames(changed), sizes.mean, sizes.highest)};
}

// The rank that most changes have; empty if there is none, or it cannot be told from a full one.
std::optional<size_t> CommonRank(const std::vector<ChangedMatrix>& changed) {
  std::map<size_t, size_t> counts;
  for (const ChangedMatrix& matrix : changed) ++counts[matrix.spectrum.rank];
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& x, const auto& y) { return x.second < y.second; });
  if (static_cast<double>(most->second) < kSameRankShare * static_cast<double>(changed.size())) {
    return std::nullopt;
  }
  const size_t rank = most->first;
  if (rank == 0 || rank > kHighestRank) return std::nullopt;
  for (const ChangedMatrix& matrix : changed) {
    if (matrix.spectrum.rank == rank && 2 * rank > matrix.spectrum.full_rank) return std::nullopt;
  }
  return rank;
}

// All matrices with as many rows write along one direction: that of the first of them.
bool WriteOneDirection(const std::vector<ChangedMatrix>& changed) {
  const auto direction_of = [](const ChangedMatrix& matrix) {
    return FirstDirectionOfChange(*matrix.in_a, *matrix.in_b);
  };
  const std::vector<double> first = direction_of(changed.front());
  size_t along = 0;
  for (const ChangedMatrix& matrix : changed) {
    if (matrix.rows != changed.front().rows) return false;
    const std::vector<double> direction = direction_of(matrix);
    double cosine = 0;
    for (size_t i = 0; i < first.size() && i < direction.size(); ++i) {
      cosine += first[i] * direction[i];
    }
    if (std::abs(cosine) > kCopiedMatrixCosine) ++along;
  }
  return static_cast<double>(along) >= kSameRankShare * static_cast<double>(changed.size());
}

// What lost a direction lost norm: the model in which every changed matrix is the smaller one.
std::optional<Side> SmallerSide(const std::vector<ChangedMatrix>& changed) {
  const auto smaller_in_a =
      std::count_if(changed.begin(), changed.end(),
                    [](const ChangedMatrix& matrix) { return matrix.norm_difference < 0; });
  if (smaller_in_a == 0) return Side::kB;
  if (static_cast<size_t>(smaller_in_a) == changed.size()) return Side::kA;
  return std::nullopt;
}

std::optional<Finding> DescribeRank(const std::vector<ChangedMatrix>& changed) {
  const auto rank = CommonRank(changed);
  if (!rank) return std::nullopt;
  if (*rank == 1 && changed.size() > 1 && WriteOneDirection(changed)) {
    return Finding{.kind = FindingKind::kDirection,
                   .text = fmt::format("The change is the same direction in every matrix ({}): one "
                                       "direction was removed from what the layers write.",
                                       RoleNames(changed)),
                   .derived = SmallerSide(changed)};
  }
  return Finding{
      .kind = FindingKind::kLowRank,
      .text = fmt::format("The changes have rank {}, as a LoRA of that rank makes.", *rank)};
}

std::optional<Finding> DescribeNoise(const std::vector<ChangedMatrix>& changed, size_t matrices) {
  if (changed.size() < matrices || changed.size() < 2) return std::nullopt;
  const ChangeSizes sizes = SizesOf(changed);
  if (sizes.deviation > kEvenChange * sizes.mean) return std::nullopt;
  std::vector<double> ranks;
  for (const ChangedMatrix& matrix : changed) {
    if (matrix.large) ranks.push_back(matrix.spectrum.effective_rank);
  }
  if (ranks.empty()) return std::nullopt;
  std::nth_element(ranks.begin(), ranks.begin() + ranks.size() / 2, ranks.end());
  if (ranks[ranks.size() / 2] < kFlatSpectrum) return std::nullopt;
  return Finding{
      .kind = FindingKind::kNoise,
      .text = fmt::format("Every matrix changed by the same share of itself ({:.2g}) and "
                          "in no direction: noise or rounding, not training.",
                          sizes.mean)};
}

// Means over the matrices of a model that have the value.
struct GridStatistics {
  std::optional<double> distinct_per_32 = {};
  std::optional<double> distinct_per_256 = {};
  double zeros = 0;
  double two_of_four = 0;
};

void AddTo(std::optional<double>& sum, std::optional<double> value) {
  if (value) sum = sum.value_or(0) + *value;
}

GridStatistics StatisticsOf(const FullFingerprint& fingerprint) {
  GridStatistics statistics;
  double matrices = 0;
  double with_32 = 0;
  double with_256 = 0;
  for (const WeightSummary& weight : fingerprint.weights) {
    if (!IsLearnedMatrix(weight) || weight.norm == 0) continue;
    ++matrices;
    if (weight.distinct_per_32) ++with_32;
    if (weight.distinct_per_256) ++with_256;
    AddTo(statistics.distinct_per_32, weight.distinct_per_32);
    AddTo(statistics.distinct_per_256, weight.distinct_per_256);
    statistics.zeros += weight.zero_fraction;
    statistics.two_of_four += weight.two_of_four_fraction.value_or(0);
  }
  if (matrices == 0) return statistics;
  if (statistics.distinct_per_32) *statistics.distinct_per_32 /= with_32;
  if (statistics.distinct_per_256) *statistics.distinct_per_256 /= with_256;
  statistics.zeros /= matrices;
  statistics.two_of_four /= matrices;
  return statistics;
}

bool OnFourBitGrid(const GridStatistics& statistics) {
  return statistics.distinct_per_32 && *statistics.distinct_per_32 <= kFourBitValues;
}

bool OnEightBitGrid(const GridStatistics& own, const GridStatistics& other) {
  return own.distinct_per_256 && other.distinct_per_256 &&
         *own.distinct_per_256 < kEightBitShare * *other.distinct_per_256;
}

std::optional<Finding> DescribeGrid(const FullFingerprint& fingerprint, const GridStatistics& own,
                                    const GridStatistics& other, Side side) {
  if (OnFourBitGrid(own)) {
    const double bits = std::ceil(std::log2(std::max(2.0, *own.distinct_per_32)));
    Finding finding{.kind = FindingKind::kQuantised,
                    .text = fmt::format("{} is quantised: 32 neighbouring weights have {:.1f} "
                                        "different values, as {:.0f} bits allow.",
                                        fingerprint.model_name, *own.distinct_per_32, bits)};
    if (!OnFourBitGrid(other)) finding.derived = side;
    return finding;
  }
  const bool zeros = own.zeros >= kPrunedZeros;  // they too leave fewer different values
  if (zeros || OnFourBitGrid(other) || !OnEightBitGrid(own, other)) return std::nullopt;
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

StoredForm StoredFormOf(const FullFingerprint& fingerprint) {
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
Finding DescribeStored(const FullFingerprint& fingerprint, const StoredForm& own,
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

std::optional<Finding> DescribeZeros(const FullFingerprint& fingerprint, const GridStatistics& own,
                                     const GridStatistics& other, Side side) {
  if (OnFourBitGrid(own) || own.zeros < kPrunedZeros || own.zeros < 2 * other.zeros) {
    return std::nullopt;
  }
  const bool two_of_four = own.two_of_four > 0.99;
  return Finding{.kind = FindingKind::kZeros,
                 .text = fmt::format("{} is pruned: {:.0f} % of its weights are exactly zero{}.",
                                     fingerprint.model_name, 100 * own.zeros,
                                     two_of_four ? ", two in every four" : ""),
                 .derived = side};
}

}  // namespace

std::vector<Finding> FindChanges(const FullFingerprint& a, const FullFingerprint& b,
                                 const SketchComparison& sketches) {
  std::vector<Finding> findings;
  const size_t matrices = LearnedMatrices(sketches);
  if (matrices == 0) return findings;
  const auto changed = ChangedMatrices(a, b, sketches);
  if (changed.empty()) {
    findings.push_back(
        {.kind = FindingKind::kEqualWeights,
         .text = fmt::format("All {} matrices of the layers that can be compared are "
                             "the same.",
                             matrices)});
    return findings;
  }
  findings.push_back(DescribeSizes(changed, matrices));
  if (auto rank = DescribeRank(changed)) {
    findings.push_back(std::move(*rank));
  } else if (auto noise = DescribeNoise(changed, matrices)) {
    findings.push_back(std::move(*noise));
  }
  return findings;
}

std::vector<Finding> FindRounding(const FullFingerprint& a, const FullFingerprint& b) {
  std::vector<Finding> findings;
  const GridStatistics in_a = StatisticsOf(a);
  const GridStatistics in_b = StatisticsOf(b);
  const auto add = [&](std::optional<Finding> finding) {
    if (finding) findings.push_back(std::move(*finding));
  };
  const StoredForm stored_a = StoredFormOf(a);
  const StoredForm stored_b = StoredFormOf(b);
  const auto describe = [&](const FullFingerprint& model, const StoredForm& stored,
                            const StoredForm& stored_other, const GridStatistics& own,
                            const GridStatistics& other, Side side) {
    if (!stored.quantised.empty()) {
      add(DescribeStored(model, stored, stored_other, side));
      return;
    }
    add(DescribeGrid(model, own, other, side));
    add(DescribeZeros(model, own, other, side));
  };
  describe(a, stored_a, stored_b, in_a, in_b, Side::kA);
  describe(b, stored_b, stored_a, in_b, in_a, Side::kB);
  return findings;
}

}  // namespace tensorguard
