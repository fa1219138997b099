// Fingerprints of many models as points: features standardised over the population.
#ifndef TENSORGUARD_PAPER_FEATURE_MATRIX_H_
#define TENSORGUARD_PAPER_FEATURE_MATRIX_H_

#include <span>
#include <string>
#include <vector>

#include "families/model_points.h"
#include "paper/paper_features.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What to do where some of the models have a feature and others lack it (a model without
// feed-forward tensors, say).
enum class MissingFeature {
  kRefuse,  // an error that names the model and the feature
  kImpute,  // put the mean of the models that have it, and list it in `imputed`
};

// A feature value that was not measured but filled in.
struct ImputedFeature {
  std::string model_name;
  std::string feature_name;
  double value = 0;
};

// Mean and population standard deviation of each feature. The deviation of a feature that is the
// same in all models is 1, so that it is 0 in every point, as scikit-learn's StandardScaler does.
struct FeatureScale {
  std::vector<double> means;
  std::vector<double> deviations;
  std::vector<bool> is_constant;
};

// The points are standardised: (value - mean) / deviation, a column per feature.
struct FeatureMatrix : ModelPoints {
  std::vector<std::string> feature_names;  // those that a model has, in PaperFeatureNames' order
  FeatureScale scale;
  std::vector<ImputedFeature> imputed;
};

// Errors: kUsage for no model; kMismatch for two models of one
// name, for a feature that a model lacks (unless imputed) and for one whose values are too far
// apart to standardise.
Result<FeatureMatrix> BuildFeatureMatrix(std::span<const PaperFeatures> models,
                                         MissingFeature missing);

// A model that is no part of the population, on the population's scale.
struct PlacedModel {
  std::vector<double> point;
  std::vector<ImputedFeature> imputed;
  // Features that say little about the distance because the population gives no scale for them:
  // all known models share one value and this model has another. They enter as the bare
  // difference, as in the reference.
  std::vector<std::string> unscaled_features;
  std::vector<std::string> left_out_features;  // no model of the population has them (kImpute only)
};

// Errors: kMismatch for a feature that the model or the population lacks (unless imputed) and for a
// value too far from the population's to measure a distance.
Result<PlacedModel> PlaceInPopulation(const PaperFeatures& model, const FeatureMatrix& population,
                                      MissingFeature missing);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_FEATURE_MATRIX_H_
