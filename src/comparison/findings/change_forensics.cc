#include "comparison/findings/change_forensics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "comparison/findings/vector_forensics.h"
#include "comparison/measures/change_spectrum.h"
#include "comparison/measures/changed_matrix.h"
#include "comparison/measures/role_names.h"
#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"
#include "roles/layer_place.h"

namespace tensorguard::internal {
namespace {

size_t LearnedPairs(const SketchComparison& sketches) {
  return std::count_if(sketches.pairs.begin(), sketches.pairs.end(),
                       [](const SketchPair& pair) { return pair.learned; });
}

std::string RoleNames(const std::vector<ChangedMatrix>& changed) {
  std::set<Role> roles;
  for (const ChangedMatrix& matrix : changed) roles.insert(matrix.role);
  return RoleNames(roles);
}

std::set<LayerPlace> LayersOf(const std::vector<ChangedMatrix>& changed) {
  std::set<LayerPlace> layers;
  for (const ChangedMatrix& matrix : changed) {
    const TensorRole& role = matrix.in_a->role;
    if (role.layer) layers.emplace(role.stack, *role.layer);
  }
  return layers;
}

std::set<LayerPlace> LayersOf(const Fingerprint& a, const SketchComparison& sketches) {
  std::set<LayerPlace> layers;
  for (const SketchPair& pair : sketches.pairs) {
    const TensorRole& role = a.weights[pair.weights.in_a].role;
    if (pair.learned && role.layer) layers.emplace(role.stack, *role.layer);
  }
  return layers;
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

// ", in 2 of 6 layers" where it is not all of them.
std::string InWhichLayers(size_t changed, size_t all) {
  return changed == 0 || changed == all ? "" : fmt::format(", in {} of {} layers", changed, all);
}

Finding DescribeSizes(const std::vector<ChangedMatrix>& changed, size_t matrices, size_t layers) {
  const ChangeSizes sizes = SizesOf(changed);
  return {.kind = FindingKind::kChange,
          .text = fmt::format(
              "{} of {} matrices changed ({}){}, by {:.2g} of their norm in the mean, "
              "{:.2g} at most.",
              changed.size(), matrices, RoleNames(changed),
              InWhichLayers(LayersOf(changed).size(), layers), sizes.mean, sizes.highest)};
}

std::string RankText(const ChangeSpectrum& spectrum) {
  if (spectrum.rank == 0 || spectrum.rank > kHighestRank ||
      2 * spectrum.rank > spectrum.full_rank) {
    return "in many directions";
  }
  return fmt::format("by a change of rank {}", spectrum.rank);
}

// Few matrices are named one by one: single facts are edited so, or numbers spoiled.
Finding DescribeEdits(const std::vector<ChangedMatrix>& changed, size_t matrices) {
  std::string text = changed.size() == 1
                         ? fmt::format("One of {} matrices changed: ", matrices)
                         : fmt::format("{} of {} matrices changed: ", changed.size(), matrices);
  for (size_t i = 0; i < changed.size(); ++i) {
    const ChangedMatrix& matrix = changed[i];
    text += fmt::format("{}{}, by {:.2g} of its norm, {}", i > 0 ? "; " : "", matrix.in_a->tensor,
                        matrix.pair->relative_change, RankText(matrix.spectrum));
  }
  return {.kind = FindingKind::kEdit, .text = text + "."};
}

Finding DescribeScaled(const std::vector<ChangedMatrix>& scaled, size_t matrices) {
  double least = RatioOfNorms(*scaled.front().in_a, *scaled.front().in_b);
  double most = least;
  for (const ChangedMatrix& matrix : scaled) {
    const double factor = RatioOfNorms(*matrix.in_a, *matrix.in_b);
    least = std::min(least, factor);
    most = std::max(most, factor);
  }
  const std::string factor = most - least <= kLeastFactor * least
                                 ? fmt::format("the factor {:.4g}", (least + most) / 2)
                                 : fmt::format("factors from {:.3g} to {:.3g}", least, most);
  return {.kind = FindingKind::kScaled,
          .text = fmt::format("{} of {} matrices ({}) are the same but for {}.", scaled.size(),
                              matrices, RoleNames(scaled), factor)};
}

Finding DescribeShifted(const std::vector<ChangedMatrix>& shifted, size_t matrices) {
  double least = shifted.front().in_b->mean - shifted.front().in_a->mean;
  double most = least;
  for (const ChangedMatrix& matrix : shifted) {
    least = std::min(least, matrix.in_b->mean - matrix.in_a->mean);
    most = std::max(most, matrix.in_b->mean - matrix.in_a->mean);
  }
  return {.kind = FindingKind::kShifted,
          .text = fmt::format("{} of {} matrices ({}) are the same but for a constant that was "
                              "added to every number ({:.3g} to {:.3g}).",
                              shifted.size(), matrices, RoleNames(shifted), least, most)};
}

Finding DescribeRounded(const std::vector<ChangedMatrix>& rounded, size_t matrices) {
  const double mean = SizesOf(rounded).mean;
  return {.kind = FindingKind::kRounding,
          .text = fmt::format("{} of {} matrices are stored in another type ({} and {}) and differ "
                              "by no more than its rounding makes ({} of their norm).",
                              rounded.size(), matrices, rounded.front().in_a->dtype,
                              rounded.front().in_b->dtype,
                              mean < kSameNumbers ? fmt::format("less than {}", kSameNumbers)
                                                  : fmt::format("{:.2g}", mean))};
}

// Digests tell it where sketches do not: a number or two of a large matrix.
Finding DescribeNearly(const std::vector<ChangedMatrix>& nearly, size_t matrices) {
  if (nearly.size() > kFewMatrices) {
    return {.kind = FindingKind::kChange,
            .text = fmt::format("{} of {} matrices are not the same number for number, but differ "
                                "by less than {} of their norm.",
                                nearly.size(), matrices, kUnchanged)};
  }
  std::string names;
  for (const ChangedMatrix& matrix : nearly) {
    names += (names.empty() ? "" : ", ") + matrix.in_a->tensor;
  }
  return {.kind = FindingKind::kEdit,
          .text = fmt::format("{} of {} matrices changed by less than {} of the norm, as where "
                              "single numbers were edited: {}.",
                              nearly.size(), matrices, kUnchanged, names)};
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

// A direction that was taken out of the one looks as one that was put into the other.
Finding DescribeDirection(const std::vector<ChangedMatrix>& changed) {
  return {
      .kind = FindingKind::kDirection,
      .text = fmt::format("The change is the same direction in every matrix ({}): one direction "
                          "was removed from what the layers of the one model write, or added "
                          "to it in the other.",
                          RoleNames(changed))};
}

// Blocks of zeros are a change of low rank, and named as what they are.
bool AreBlocksOfZeros(const std::vector<ChangedMatrix>& changed) {
  const auto blocks = [](const WeightSummary& weight) {
    return weight.zero_row_fraction + weight.zero_column_fraction;
  };
  const size_t count =
      std::count_if(changed.begin(), changed.end(), [&](const ChangedMatrix& matrix) {
        return std::abs(blocks(*matrix.in_a) - blocks(*matrix.in_b)) > kDeadBlockShare;
      });
  return 2 * count > changed.size();
}

std::optional<Finding> DescribeRank(const std::vector<ChangedMatrix>& changed, size_t layers) {
  const auto rank = CommonRank(changed);
  if (!rank || AreBlocksOfZeros(changed)) return std::nullopt;
  if (*rank == 1 && changed.size() > 1 && WriteOneDirection(changed)) {
    return DescribeDirection(changed);
  }
  // What one or two layers hold is an edit, whoever made it.
  if (LayersOf(changed).size() < std::min(kFewestLoraLayers, layers)) {
    return Finding{.kind = FindingKind::kEdit,
                   .text = fmt::format("The changes have rank {}, in {} of {} layers: an edit.",
                                       *rank, LayersOf(changed).size(), layers)};
  }
  return Finding{
      .kind = FindingKind::kLowRank,
      .text = fmt::format("The changes have rank {}, as a LoRA of that rank makes.", *rank)};
}

// The model that is the other one and something that has nothing to do with it.
std::optional<Side> AddedTo(const std::vector<ChangedMatrix>& changed) {
  double in_a = 0;
  double in_b = 0;
  for (const ChangedMatrix& matrix : changed) {
    in_a += matrix.kept_in_a;
    in_b += matrix.kept_in_b;
  }
  const auto count = static_cast<double>(changed.size());
  const double off_a = std::abs(in_a / count - 1);
  const double off_b = std::abs(in_b / count - 1);
  if (std::min(off_a, off_b) > kKeptByNoise) return std::nullopt;
  return off_b <= off_a ? Side::kB : Side::kA;
}

bool IsFlat(const std::vector<ChangedMatrix>& changed) {
  std::vector<double> ranks;
  for (const ChangedMatrix& matrix : changed) {
    if (matrix.large) ranks.push_back(matrix.spectrum.effective_rank);
  }
  if (ranks.empty()) return false;
  std::nth_element(ranks.begin(), ranks.begin() + ranks.size() / 2, ranks.end());
  return ranks[ranks.size() / 2] >= kFlatSpectrum;
}

std::optional<Finding> DescribeNoise(const std::vector<ChangedMatrix>& changed, size_t matrices) {
  // Training of a few roles alone may change them as evenly.
  if (changed.size() < matrices || changed.size() <= kFewMatrices) return std::nullopt;
  const ChangeSizes sizes = SizesOf(changed);
  if (sizes.deviation > kEvenChange * sizes.mean || sizes.highest > kMostNoise) return std::nullopt;
  const auto side = AddedTo(changed);
  if (!side || !IsFlat(changed)) return std::nullopt;
  const bool small = sizes.mean <= kMostFineRounding;
  Finding finding{
      .kind = FindingKind::kNoise,
      .text = fmt::format("Every matrix changed by the same share of itself ({:.2g}), in no "
                          "direction and apart from what it held: {}, not training.",
                          sizes.mean, small ? "noise or rounding" : "noise")};
  // Of small noise both models hold all of the other.
  if (sizes.mean * sizes.mean > 2 * kKeptByNoise) finding.derived = side;
  return finding;
}

std::vector<Finding> FindChangedMatrices(const Fingerprint& a, const Fingerprint& b,
                                         const SketchComparison& sketches) {
  std::vector<Finding> findings;
  const size_t matrices = LearnedPairs(sketches);
  if (matrices == 0) return findings;
  const Changes changes = ChangesOf(a, b, sketches);
  const auto& changed = changes.changed;
  if (!changes.rounded.empty()) findings.push_back(DescribeRounded(changes.rounded, matrices));
  if (!changes.scaled.empty()) findings.push_back(DescribeScaled(changes.scaled, matrices));
  if (!changes.shifted.empty()) findings.push_back(DescribeShifted(changes.shifted, matrices));
  if (!changes.nearly.empty()) findings.push_back(DescribeNearly(changes.nearly, matrices));
  if (changed.empty() && findings.empty()) {
    findings.push_back(
        {.kind = FindingKind::kEqualWeights,
         .text = fmt::format("All {} matrices of the layers that can be compared are "
                             "the same number for number.",
                             matrices)});
  }
  if (changed.empty()) return findings;
  if (changed.size() <= kFewMatrices && changed.size() < matrices) {
    findings.push_back(DescribeEdits(changed, matrices));
    return findings;
  }
  const size_t layers = LayersOf(a, sketches).size();
  findings.push_back(DescribeSizes(changed, matrices, layers));
  if (auto rank = DescribeRank(changed, layers)) {
    findings.push_back(std::move(*rank));
  } else if (auto noise = DescribeNoise(changed, matrices)) {
    findings.push_back(std::move(*noise));
  }
  return findings;
}

}  // namespace

std::vector<Finding> FindChanges(const Fingerprint& a, const Fingerprint& b,
                                 const SketchComparison& sketches) {
  std::vector<Finding> findings = FindChangedMatrices(a, b, sketches);
  if (auto vectors = FindVectorChanges(a, b, sketches)) findings.push_back(std::move(*vectors));
  return findings;
}

}  // namespace tensorguard::internal
