// Two models compared by the paper profile alone, and what that can and cannot show.
#ifndef TENSORGUARD_PAPER_PAPER_COMPARISON_H_
#define TENSORGUARD_PAPER_PAPER_COMPARISON_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paper/feature_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The paper profile gives these two verdicts and no other. It sees at most ten tensors, and of
// those mostly the shapes (std is |x|/sqrt(size) and norm is |x| for the fixed inputs x): two
// independent models of one architecture are about as close as a model and its fine-tune, and
// permuting hidden units changes nothing. So closeness never means "derived", and distance never
// means "independent".
enum class PaperVerdict {
  kIdentical,     // every feature and total_params agree: the tensors that were read respond alike
  kInconclusive,  // anything else
};

// As in JSON output: "identical" or "inconclusive".
std::string_view PaperVerdictName(PaperVerdict verdict);

// Room for another summation order, far below what a change of the weights does.
inline constexpr double kIdenticalRelativeDifference = 1e-9;

// Up to here (FeatureDifference::relative) two std or norm features tell of one shape. Of the 1081
// pairs of models made for the purpose that have the same features, those whose sampled tensors
// have the same shapes, independent ones among them, differ by 0.0011 at most, all others by 0.0079
// at least.
inline constexpr double kSameShapeRelativeDifference = 0.003;

struct FeatureDifference {
  std::string feature_name;
  std::optional<double> a = {};  // empty: the model lacks the feature
  std::optional<double> b = {};
  // |a - b| / (|a| + |b|), in [0, 1]; 0 if both are 0, 1 if one model lacks the feature.
  double relative = 0;
  bool shape_only = false;  // std or norm of a gradient: determined by the tensors' shapes
};

// One entry for each feature that either model has, in PaperFeatureNames' order.
std::vector<FeatureDifference> RelativeDifferences(const PaperFeatures& a, const PaperFeatures& b);

// kIdentical if all features, and total_params, are equal.
PaperVerdict JudgePaperFeatures(const PaperFeatures& a, const PaperFeatures& b);

// Euclidean distance of two models, each feature in units of its standard deviation in the
// population. Errors: those of PlaceInPopulation; kUsage for a population of one, which has no
// scale.
Result<double> StandardisedDistance(const PaperFeatures& a, const PaperFeatures& b,
                                    const FeatureMatrix& population, MissingFeature missing);

// 1 / (1 + distance), in (0, 1]. An ordering, no probability.
double ScoreOfDistance(double distance);

struct PaperComparison {
  PaperVerdict verdict = PaperVerdict::kInconclusive;
  // ScoreOfDistance where there is a distance, else 1 - the mean of the relative differences. The
  // two are not comparable with each other.
  double score = 0;
  std::optional<double> distance = {};  // empty without a population
  bool same_shapes = false;             // as far as the tensors that were read show
  std::vector<FeatureDifference> differences;
  std::vector<std::string> notes;  // what the user must know to read the numbers
};

// `population`: the models whose spread is the yardstick, null if none is given (no published data
// is built in, because a distance depends on the population as much as on the two models).
// Errors: those of StandardisedDistance.
Result<PaperComparison> ComparePaperFeatures(const PaperFeatures& a, const PaperFeatures& b,
                                             const FeatureMatrix* population = nullptr,
                                             MissingFeature missing = MissingFeature::kRefuse);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_PAPER_COMPARISON_H_
