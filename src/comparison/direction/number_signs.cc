#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "comparison/direction/direction_signs.h"
#include "comparison/measures/value_grid.h"
#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

bool HoldsRounded(const WeightSummary& wide, const WeightSummary& narrow) {
  if (wide.dtype == narrow.dtype || wide.digest == narrow.digest) return false;
  return wide.digest_as_bfloat16 == narrow.digest || wide.digest_as_float16 == narrow.digest;
}

// A wider type cannot be had back from a narrower one.
std::optional<DirectionSign> StoredNarrower(const LaterModel& later, const Fingerprint& a,
                                            const Fingerprint& b, const Comparison& comparison) {
  size_t rounded = 0;
  for (const SketchPair& pair : comparison.sketches.pairs) {
    if (!pair.learned || pair.equal) continue;
    const bool is_a = later.side == Side::kA;
    const WeightSummary& narrow =
        is_a ? a.weights[pair.weights.in_a] : b.weights[pair.weights.in_b];
    const WeightSummary& wide = is_a ? b.weights[pair.weights.in_b] : a.weights[pair.weights.in_a];
    if (!HoldsRounded(wide, narrow)) return {};
    ++rounded;
  }
  if (rounded == 0) return {};
  return DirectionSign{
      .kind = DirectionSignKind::kStoredNarrower,
      .later = later.side,
      .weight = kExplainsAll,
      .text = fmt::format("{} holds the numbers of {} rounded to a narrower type ({} matrices), "
                          "from which they cannot be had back.",
                          later.model.model_name, later.other.model_name, rounded)};
}

bool HasGrid(const Fingerprint& model) {
  return std::any_of(model.weights.begin(), model.weights.end(), [](const WeightSummary& weight) {
    return IsLearnedMatrix(weight) && weight.norm > 0 &&
           (!weight.quantisation.empty() || IsOnGrid(weight));
  });
}

// Standard normal quantile of (1 + share) / 2: half the width of the middle that holds the share.
double HalfWidthOf(double share) {
  double low = 0;
  double high = 8;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < share ? low : high) = middle;
  }
  return low;
}

// Of the squared norm of normal numbers, what rounding to steps changes that make so many zeros.
double EnergyOfRounding(double zeros) {
  const double step = 2 * HalfWidthOf(zeros);
  return step * step / 12;
}

// What is lost where the smallest numbers are put to zero, so many of them.
double EnergyOfSmallest(double zeros) {
  const double half = HalfWidthOf(zeros);
  const double density = std::exp(-half * half / 2) / std::sqrt(2 * std::acos(-1.0));
  return std::max(0.0, zeros - 2 * half * density);
}

// Uneven steps and scales of their own for few numbers change more than even steps do.
constexpr double kMostOverExpected = 1.5;

// What the matrices of the later model differ by from the other's, over what was expected of it.
template <typename Expected>
bool IsExplained(const LaterModel& later, const Fingerprint& a, const Fingerprint& b,
                 const Comparison& comparison, const Expected& expected_of) {
  double changed = 0;
  double expected = 0;
  for (const SketchPair& pair : comparison.sketches.pairs) {
    if (!pair.learned || pair.equal) continue;
    const WeightSummary& in_a = a.weights[pair.weights.in_a];
    const WeightSummary& in_b = b.weights[pair.weights.in_b];
    changed += pair.relative_change * pair.relative_change * in_a.norm * in_b.norm;
    const bool is_a = later.side == Side::kA;
    const WeightSummary& other = is_a ? in_b : in_a;
    expected += expected_of(is_a ? in_a : in_b, other) * other.norm * other.norm;
  }
  return changed > 0 && changed <= kMostOverExpected * expected;
}

// By the finding: a grid that the other model has not.
std::optional<DirectionSign> OnGrid(const LaterModel& later, const Fingerprint& a,
                                    const Fingerprint& b, const Comparison& comparison) {
  const bool found = HasFinding(comparison, FindingKind::kQuantised, later.side);
  if (!found || HasGrid(later.other)) return {};
  const bool alone =
      IsExplained(later, a, b, comparison, [](const WeightSummary& model, const WeightSummary&) {
        return EnergyOfRounding(ScatteredZeros(model));
      });
  return DirectionSign{
      .kind = DirectionSignKind::kOnGrid,
      .later = later.side,
      .weight = alone ? kExplainsAll : kBesideOthers,
      .text = alone ? fmt::format("{} is {} rounded to a grid: they differ by what rounding makes.",
                                  later.model.model_name, later.other.model_name)
                    : fmt::format("The values of {} lie on a grid, those of {} do not; they differ "
                                  "by more than rounding.",
                                  later.model.model_name, later.other.model_name)};
}

// What a projection leaves is at right angles to what it takes: |other|^2 = |model|^2 + |taken|^2.
// Within the error of the sketches of so many matrices, each with `freedom` numbers for the change.
bool IsProjection(const WeightCourse& course, Side later, double freedom) {
  const double growth = later == Side::kB ? course.Growth() : -course.Growth();
  const double error = 3 / std::sqrt(freedom * static_cast<double>(course.matrices) / 2);
  return std::abs(growth + 1) <= std::max(0.02, error);
}

std::optional<DirectionSign> Zeros(const LaterModel& later, const Fingerprint& a,
                                   const Fingerprint& b, const Comparison& comparison,
                                   const std::optional<WeightCourse>& course) {
  const bool found = HasFinding(comparison, FindingKind::kZeros, later.side);
  if (!found) return {};
  const bool explained = IsExplained(
      later, a, b, comparison, [](const WeightSummary& model, const WeightSummary& other) {
        const double blocks = ZerosInBlocks(model) - ZerosInBlocks(other);
        const double single = ScatteredZeros(model) - ScatteredZeros(other);
        return std::max(0.0, blocks) + EnergyOfSmallest(std::max(0.0, single));
      });
  const bool alone = course && explained && IsProjection(*course, later.side, kSketchFreedom);
  return DirectionSign{
      .kind = DirectionSignKind::kZeros,
      .later = later.side,
      .weight = alone ? kExplainsAll : kBesideOthers,
      .text = alone ? fmt::format("{} is {} with numbers put to zero, and nothing else.",
                                  later.model.model_name, later.other.model_name)
                    : fmt::format("Numbers of {} were put to zero where {} has some; they differ "
                                  "by more than that.",
                                  later.model.model_name, later.other.model_name)};
}

// A direction that was added would have to be at right angles to all that was there.
std::optional<DirectionSign> Removed(const LaterModel& later, const Comparison& comparison,
                                     const std::optional<WeightCourse>& course) {
  const bool found =
      std::any_of(comparison.findings.begin(), comparison.findings.end(),
                  [](const Finding& finding) { return finding.kind == FindingKind::kDirection; });
  // A change of rank one lies along one row of each sketch.
  if (!found || !course || !IsProjection(*course, later.side, kSketchSize)) return {};
  return DirectionSign{
      .kind = DirectionSignKind::kRemoved,
      .later = later.side,
      .weight = kExplainsAll,
      .text = fmt::format("One direction was taken out of what the layers of {} write, exactly.",
                          later.other.model_name)};
}

// From here on norms tell that a change of low rank was added to the other model.
constexpr double kGrownByLowRank = 0.5;

std::optional<DirectionSign> LowRank(const LaterModel& later, const Comparison& comparison,
                                     const std::optional<WeightCourse>& course) {
  const bool found =
      std::any_of(comparison.findings.begin(), comparison.findings.end(),
                  [](const Finding& finding) { return finding.kind == FindingKind::kLowRank; });
  if (!found || !course) return {};
  const double growth = later.side == Side::kB ? course->Growth() : -course->Growth();
  if (growth < kGrownByLowRank) return {};
  return DirectionSign{
      .kind = DirectionSignKind::kLowRank,
      .later = later.side,
      .weight = 3.2,
      .text = fmt::format("{} is {} and a change of low rank, by which its norm grew.",
                          later.model.model_name, later.other.model_name)};
}

std::optional<DirectionSign> Noise(const LaterModel& later, const Comparison& comparison) {
  const bool found = HasFinding(comparison, FindingKind::kNoise, later.side);
  if (!found) return {};
  return DirectionSign{.kind = DirectionSignKind::kNoise,
                       .later = later.side,
                       .weight = 3.2,
                       .text = fmt::format("{} is {} and noise that has nothing to do with it.",
                                           later.model.model_name, later.other.model_name)};
}

// Beyond this, norms grew or shrank by more than the change is large: all matrices by a factor.
constexpr double kGrowthOfSteps = 2.5;
constexpr double kWeightOfGrowth = 1.2;
constexpr double kWeightOfEvenness = 0.5;
constexpr double kLeastOfLeaning = 0.1;

// Weak signs: a sibling that hardly changed, and weight decay, look the same.
void AddLeanings(const Fingerprint& a, const Fingerprint& b, const WeightCourse& course,
                 std::vector<DirectionSign>& signs) {
  const double growth = course.Growth();
  const double fade = std::max(0.0, std::abs(growth) - kGrowthOfSteps);
  const double leaning =
      kWeightOfGrowth *
      std::copysign(std::max(0.0, std::min(1.0, std::abs(growth)) - fade), growth);
  const auto name = [&](bool later_b) { return later_b ? b.model_name : a.model_name; };
  if (std::abs(leaning) > kLeastOfLeaning) {
    signs.push_back({.kind = DirectionSignKind::kGrowth,
                     .later = leaning > 0 ? Side::kB : Side::kA,
                     .weight = std::abs(leaning),
                     .text = fmt::format(
                         "The norm of {} is larger by {:.2f} of the squared distance of the two "
                         "(training steps: about 1; two that were trained from one model: "
                         "anything from -1 to 1).",
                         name(leaning > 0), std::abs(growth))});
  }
  const double even = kWeightOfEvenness * std::clamp(course.evenness, -1.0, 1.0);
  if (std::abs(even) > kLeastOfLeaning) {
    signs.push_back({.kind = DirectionSignKind::kEvenChange,
                     .later = even > 0 ? Side::kB : Side::kA,
                     .weight = std::abs(even),
                     .text = fmt::format("The matrices of {} hold those of {} more evenly than the "
                                         "other way round.",
                                         name(even > 0), name(even <= 0))});
  }
}

}  // namespace

std::vector<DirectionSign> NumberSigns(const Fingerprint& a, const Fingerprint& b,
                                       const Comparison& comparison,
                                       const std::optional<WeightCourse>& course) {
  std::vector<DirectionSign> signs;
  for (const LaterModel& later : {LaterModel{a, b, Side::kA}, LaterModel{b, a, Side::kB}}) {
    for (auto& sign : {StoredNarrower(later, a, b, comparison), OnGrid(later, a, b, comparison),
                       Zeros(later, a, b, comparison, course), Removed(later, comparison, course),
                       LowRank(later, comparison, course), Noise(later, comparison)}) {
      if (sign) signs.push_back(*sign);
    }
  }
  if (course) AddLeanings(a, b, *course, signs);
  return signs;
}

}  // namespace tensorguard::internal
