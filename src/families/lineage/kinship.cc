#include "families/lineage/kinship.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "base/try.h"
#include "comparison/alignment/sketch_products.h"
#include "comparison/direction/weight_course.h"
#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

// Kernels this near are those of one function, up to how they and the rewritten weights are stored.
constexpr double kSameFunction = 0.99;

double OddsBySteps(const Direction& direction) {
  double odds = 0;
  for (const DirectionSign& sign : direction.signs) {
    if (!IsStep(sign.kind)) continue;
    odds += sign.later == Side::kB ? sign.weight : -sign.weight;
  }
  return odds;
}

double SketchedDistance(const WeightSummary& a, const WeightSummary& b) {
  const SketchProducts products = ProductsOf(a.sketch.values(), b.sketch.values());
  return std::max(0.0, products.aa + products.bb - 2 * products.ab);
}

// Empty unless the learned matrices of both are each other's counterparts, in one order.
std::vector<double> DistancesOfWhole(const Fingerprint& a, const Fingerprint& b,
                                     const SketchComparison& sketches) {
  std::vector<double> distances;
  size_t last_in_b = 0;
  for (const SketchPair& pair : sketches.pairs) {
    if (!pair.learned) continue;
    if (!distances.empty() && pair.weights.in_b <= last_in_b) return {};
    last_in_b = pair.weights.in_b;
    distances.push_back(
        pair.equal ? 0
                   : SketchedDistance(a.weights[pair.weights.in_a], b.weights[pair.weights.in_b]));
  }
  const bool whole =
      distances.size() == LearnedMatrices(a) && distances.size() == LearnedMatrices(b);
  return whole ? distances : std::vector<double>();
}

}  // namespace

std::vector<double> SquaredNormsOf(const Fingerprint& model) {
  std::vector<double> squares;
  for (const WeightSummary& weight : model.weights) {
    if (IsLearnedMatrix(weight)) squares.push_back(weight.norm * weight.norm);
  }
  return squares;
}

Kinship KinshipOf(const Fingerprint& a, const Fingerprint& b, const Comparison& comparison) {
  Kinship kinship;
  kinship.related = IsDerivation(comparison.verdict);
  kinship.score = comparison.score.value_or(0);
  if (comparison.kernels) kinship.answers = 1 - comparison.kernels->score;
  const bool rewritten = comparison.verdict == Verdict::kReparameterised;
  kinship.same_function = comparison.verdict == Verdict::kIdentical ||
                          (rewritten && kinship.answers <= 1 - kSameFunction);
  kinship.odds = OddsOfLaterB(comparison.direction);
  kinship.odds_by_steps = OddsBySteps(comparison.direction);
  kinship.told = comparison.direction.later;
  kinship.signs = comparison.direction.signs;
  if (rewritten) return kinship;
  double squares_a = 0;
  double squares_b = 0;
  double distance = 0;
  for (const SketchPair& pair : comparison.sketches.pairs) {
    if (!pair.learned || pair.cosine < kBasisLostCosine) continue;
    const double norm_a = a.weights[pair.weights.in_a].norm;
    const double norm_b = b.weights[pair.weights.in_b].norm;
    squares_a += norm_a * norm_a;
    squares_b += norm_b * norm_b;
    distance += pair.relative_change * pair.relative_change * norm_a * norm_b;
  }
  if (squares_a > 0 && squares_b > 0) {
    kinship.distance = distance / std::sqrt(squares_a * squares_b);
  }
  if (comparison.sketches.cosine >= kContinuedCosine) {
    kinship.squared_distances = DistancesOfWhole(a, b, comparison.sketches);
  }
  const bool as_stored = kinship.distance && *kinship.distance <= kStoredAnew * kStoredAnew;
  if (as_stored && !kinship.squared_distances.empty() && a.vocabulary_size == b.vocabulary_size) {
    kinship.same_function = true;
  }
  return kinship;
}

double Kinships::Odds(size_t earlier, size_t later) const {
  const Kinship* kinship = Between(earlier, later);
  if (kinship == nullptr) return 0;
  return earlier < later ? kinship->odds : -kinship->odds;
}

double Kinships::OddsBySteps(size_t earlier, size_t later) const {
  const Kinship* kinship = Between(earlier, later);
  if (kinship == nullptr) return 0;
  return earlier < later ? kinship->odds_by_steps : -kinship->odds_by_steps;
}

bool Kinships::Told(size_t earlier, size_t later) const {
  const Kinship* kinship = Between(earlier, later);
  if (kinship == nullptr || !kinship->told) return false;
  return *kinship->told == (earlier < later ? Side::kB : Side::kA);
}

std::vector<DirectionSign> Kinships::SignsBetween(size_t earlier, size_t later) const {
  const Kinship* kinship = Between(earlier, later);
  if (kinship == nullptr) return {};
  std::vector<DirectionSign> signs = kinship->signs;
  if (earlier < later) return signs;
  for (DirectionSign& sign : signs) sign.later = sign.later == Side::kA ? Side::kB : Side::kA;
  return signs;
}

Result<Kinships> CompareInPairs(std::span<const Fingerprint* const> models,
                                std::span<const std::pair<size_t, size_t>> pairs, unsigned threads,
                                const std::function<Result<void>()>& go_on) {
  std::vector<Kinship> found(pairs.size());
  TG_TRY(ParallelFor(pairs.size(), threads, [&](size_t i) -> Result<void> {
    if (go_on) TG_TRY(go_on());
    const Fingerprint& a = *models[pairs[i].first];
    const Fingerprint& b = *models[pairs[i].second];
    TG_ASSIGN(const auto comparison, CompareFingerprints(a, b));
    found[i] = KinshipOf(a, b, comparison);
    return {};
  }));
  Kinships kinships;
  for (size_t i = 0; i < pairs.size(); ++i) {
    kinships.Add(pairs[i].first, pairs[i].second, std::move(found[i]));
  }
  return kinships;
}

}  // namespace tensorguard::internal
