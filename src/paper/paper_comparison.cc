#include "paper/paper_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

double RelativeDifference(double a, double b) {
  const double larger = std::max(std::abs(a), std::abs(b));
  if (larger == 0) return 0;
  // Divided first: a sum of two large finite numbers may not be finite.
  return std::abs(a / larger - b / larger) / (std::abs(a / larger) + std::abs(b / larger));
}

bool HaveSameShapes(const std::vector<FeatureDifference>& differences) {
  return std::all_of(differences.begin(), differences.end(), [](const FeatureDifference& each) {
    return !each.shape_only || each.relative <= kSameShapeRelativeDifference;
  });
}

std::vector<std::string> NotesOn(const PaperComparison& comparison) {
  std::vector<std::string> notes;
  if (comparison.verdict == PaperVerdict::kIdentical) {
    notes.push_back(
        "all features agree: the tensors that the paper profile reads respond alike; tensors that "
        "it does not read, and the order of hidden units, may differ");
  } else if (comparison.same_shapes) {
    notes.push_back(
        "the models agree in the features that tensor shapes determine; independent models of one "
        "architecture do so too");
  } else {
    notes.push_back(
        "the models differ in the features that tensor shapes determine; pruning, another "
        "vocabulary or other tensors chosen have that effect, and it does not show independence");
  }
  if (comparison.verdict != PaperVerdict::kIdentical) {
    notes.push_back(
        "most features tell of shapes, few of weights, and at most ten tensors are read: this "
        "profile shows neither that one model is derived from the other nor that it is not");
  }
  if (comparison.distance) {
    notes.push_back(
        "the distance is in standard deviations of the known models, over all features; classify "
        "calls a model unknown that is farther than 7 from every base model");
  } else {
    notes.push_back(
        "no population given: the score is a mean of relative differences, and there is no "
        "standardised distance");
  }
  for (const FeatureDifference& each : comparison.differences) {
    if (each.a && each.b) continue;
    notes.push_back(fmt::format("only one of the models has the feature {}", each.feature_name));
  }
  return notes;
}

}  // namespace

std::string_view PaperVerdictName(PaperVerdict verdict) {
  return verdict == PaperVerdict::kIdentical ? "identical" : "inconclusive";
}

std::vector<FeatureDifference> RelativeDifferences(const PaperFeatures& a, const PaperFeatures& b) {
  std::vector<FeatureDifference> differences;
  for (const std::string_view name : PaperFeatureNames()) {
    const auto in_a = a.values.find(name);
    const auto in_b = b.values.find(name);
    FeatureDifference difference{.feature_name = std::string(name), .relative = 1};
    if (in_a != a.values.end()) difference.a = in_a->second;
    if (in_b != b.values.end()) difference.b = in_b->second;
    if (!difference.a && !difference.b) continue;
    if (difference.a && difference.b) {
      difference.relative = RelativeDifference(*difference.a, *difference.b);
    }
    difference.shape_only = name.ends_with("_std") || name.ends_with("_norm");
    differences.push_back(std::move(difference));
  }
  return differences;
}

PaperVerdict JudgePaperFeatures(const PaperFeatures& a, const PaperFeatures& b) {
  const auto differences = RelativeDifferences(a, b);
  const bool equal = a.total_params == b.total_params &&
                     std::all_of(differences.begin(), differences.end(), [](const auto& each) {
                       return each.relative <= kIdenticalRelativeDifference;
                     });
  return equal ? PaperVerdict::kIdentical : PaperVerdict::kInconclusive;
}

Result<double> StandardisedDistance(const PaperFeatures& a, const PaperFeatures& b,
                                    const FeatureMatrix& population, MissingFeature missing) {
  if (population.model_names.size() < 2) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a population of one model has no spread to measure distances by",
                 .advice = "give at least two known models"};
  }
  TG_ASSIGN(const auto placed_a, PlaceInPopulation(a, population, missing));
  TG_ASSIGN(const auto placed_b, PlaceInPopulation(b, population, missing));
  return Distance(placed_a.point, placed_b.point);
}

double ScoreOfDistance(double distance) { return 1 / (1 + distance); }

Result<PaperComparison> ComparePaperFeatures(const PaperFeatures& a, const PaperFeatures& b,
                                             const FeatureMatrix* population,
                                             MissingFeature missing) {
  PaperComparison comparison;
  comparison.verdict = JudgePaperFeatures(a, b);
  comparison.differences = RelativeDifferences(a, b);
  comparison.same_shapes = HaveSameShapes(comparison.differences);
  if (population != nullptr) {
    TG_ASSIGN(const auto distance, StandardisedDistance(a, b, *population, missing));
    comparison.distance = distance;
    comparison.score = ScoreOfDistance(distance);
  } else if (!comparison.differences.empty()) {
    double sum = 0;
    for (const FeatureDifference& each : comparison.differences) sum += each.relative;
    comparison.score = 1 - sum / static_cast<double>(comparison.differences.size());
  }
  comparison.notes = NotesOn(comparison);
  return comparison;
}

}  // namespace tensorguard::internal
