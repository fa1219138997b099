#include "paper/feature_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

// Farther out than this, squared distances would not be finite numbers.
constexpr double kFarthestCoordinate = 1e100;

std::optional<double> ValueOf(const PaperFeatures& model, std::string_view feature) {
  const auto found = model.values.find(feature);
  if (found == model.values.end()) return {};
  return found->second;
}

Error MissingFeatureError(std::string_view model, std::string_view feature) {
  return {.kind = ErrorKind::kMismatch,
          .problem = fmt::format("model \"{}\" has no feature {}, which other models have", model,
                                 feature),
          .advice = "leave the model out, or fill in the mean of the others with --impute"};
}

Error TooFarApart(std::string_view feature) {
  return {.kind = ErrorKind::kMismatch,
          .problem = fmt::format("the values of feature {} are too far apart to compare", feature)};
}

std::vector<std::string> FeaturesOfAny(std::span<const PaperFeatures> models) {
  std::vector<std::string> names;
  for (const std::string_view name : PaperFeatureNames()) {
    for (const PaperFeatures& model : models) {
      if (!model.values.contains(name)) continue;
      names.emplace_back(name);
      break;
    }
  }
  return names;
}

Result<std::vector<std::string>> DistinctNames(std::span<const PaperFeatures> models) {
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (const PaperFeatures& model : models) {
    if (!seen.insert(model.model_name).second) {
      return Error{
          .kind = ErrorKind::kMismatch,
          .problem = fmt::format("two fingerprints have the model name \"{}\"", model.model_name),
          .advice = "leave one of them out, or rename it"};
    }
    names.push_back(model.model_name);
  }
  return names;
}

struct ColumnScale {
  double mean = 0;
  double deviation = 1;
  bool is_constant = true;
};

ColumnScale MeasureColumn(std::span<const double> values) {
  const double count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double variance = squares / count;
  // What rounding alone leaves of the variance of equal values: they are then still constant.
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const double rounding = count * mean * kEpsilon;
  const bool is_constant =
      std::isfinite(variance) && variance <= count * kEpsilon * variance + rounding * rounding;
  return {mean, is_constant ? 1 : std::sqrt(variance), is_constant};
}

// The column's values, those that are missing replaced by the mean of the others.
Result<std::vector<double>> ColumnOf(std::span<const PaperFeatures> models,
                                     std::string_view feature, MissingFeature missing,
                                     std::vector<ImputedFeature>& imputed) {
  std::vector<double> present;
  for (const PaperFeatures& model : models) {
    if (const auto value = ValueOf(model, feature)) present.push_back(*value);
  }
  const double mean = MeasureColumn(present).mean;
  std::vector<double> column;
  for (const PaperFeatures& model : models) {
    const auto value = ValueOf(model, feature);
    if (!value && missing == MissingFeature::kRefuse) {
      return MissingFeatureError(model.model_name, feature);
    }
    if (!value) imputed.push_back({model.model_name, std::string(feature), mean});
    column.push_back(value.value_or(mean));
  }
  return column;
}

}  // namespace

Result<FeatureMatrix> BuildFeatureMatrix(std::span<const PaperFeatures> models,
                                         MissingFeature missing) {
  if (models.empty()) return Error{.kind = ErrorKind::kUsage, .problem = "no fingerprint given"};
  TG_ASSIGN(auto names, DistinctNames(models));

  FeatureMatrix matrix;
  matrix.model_names = std::move(names);
  matrix.feature_names = FeaturesOfAny(models);
  matrix.points = Matrix(models.size(), matrix.feature_names.size());
  for (size_t j = 0; j < matrix.feature_names.size(); ++j) {
    const std::string& feature = matrix.feature_names[j];
    TG_ASSIGN(const auto column, ColumnOf(models, feature, missing, matrix.imputed));
    const ColumnScale scale = MeasureColumn(column);
    if (!std::isfinite(scale.deviation)) return TooFarApart(feature);
    for (size_t i = 0; i < column.size(); ++i) {
      const double off = column[i] - scale.mean;
      matrix.points.Row(i)[j] = scale.is_constant ? 0 : off / scale.deviation;
    }
    matrix.scale.means.push_back(scale.mean);
    matrix.scale.deviations.push_back(scale.deviation);
    matrix.scale.is_constant.push_back(scale.is_constant);
  }
  return matrix;
}

Result<PlacedModel> PlaceInPopulation(const PaperFeatures& model, const FeatureMatrix& population,
                                      MissingFeature missing) {
  PlacedModel placed;
  for (size_t j = 0; j < population.feature_names.size(); ++j) {
    const std::string& feature = population.feature_names[j];
    const double mean = population.scale.means[j];
    const auto value = ValueOf(model, feature);
    if (!value && missing == MissingFeature::kRefuse) {
      return MissingFeatureError(model.model_name, feature);
    }
    if (!value) placed.imputed.push_back({model.model_name, feature, mean});
    const double point = (value.value_or(mean) - mean) / population.scale.deviations[j];
    if (!(std::abs(point) <= kFarthestCoordinate)) return TooFarApart(feature);
    constexpr double kRounding = 1e-12;
    const bool differs = std::abs(point) > kRounding * std::abs(mean);
    if (population.scale.is_constant[j] && differs) placed.unscaled_features.push_back(feature);
    placed.point.push_back(point);
  }

  for (const std::string_view feature : PaperFeatureNames()) {
    const auto& shared = population.feature_names;
    const bool is_shared = std::find(shared.begin(), shared.end(), feature) != shared.end();
    if (is_shared || !model.values.contains(feature)) continue;
    if (missing == MissingFeature::kRefuse) {
      return MissingFeatureError(population.model_names.front(), feature);
    }
    placed.left_out_features.emplace_back(feature);
  }
  return placed;
}

}  // namespace tensorguard::internal
