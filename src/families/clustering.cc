#include "families/clustering.h"

#include <fmt/format.h>

#include <algorithm>
#include <armadillo>
#include <utility>

#include "base/text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

// Lloyd's algorithm ends by itself; the bound is scikit-learn's.
constexpr arma::uword kMostIterations = 300;

Error UsageError(std::string problem) {
  return {.kind = ErrorKind::kUsage, .problem = std::move(problem)};
}

// A column per model, as Armadillo wants it.
arma::mat ToColumns(const Matrix& rows) {
  arma::mat columns(rows.columns(), rows.rows());
  for (size_t i = 0; i < rows.rows(); ++i) {
    const auto row = rows.Row(i);
    std::copy(row.begin(), row.end(), columns.colptr(i));
  }
  return columns;
}

Matrix ToRows(const arma::mat& columns) {
  Matrix rows(columns.n_cols, columns.n_rows);
  for (size_t i = 0; i < rows.rows(); ++i) {
    std::copy_n(columns.colptr(i), columns.n_rows, rows.Row(i).begin());
  }
  return rows;
}

Result<size_t> FindModel(const ModelPoints& models, const std::string& name) {
  const auto& names = models.model_names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  Error error{.kind = ErrorKind::kNotFound,
              .problem = fmt::format("no fingerprint of the centre \"{}\" is given", name)};
  if (const auto nearest = NearestName(name, names)) {
    error.advice = fmt::format("did you mean \"{}\"?", *nearest);
  }
  return error;
}

// The model farthest from its nearest start; a start if every model lies on one.
size_t FarthestModel(const ModelPoints& models, std::span<const size_t> starts) {
  size_t farthest = starts[0];
  double farthest_distance = 0;
  for (size_t i = 0; i < models.points.rows(); ++i) {
    double nearest = Distance(models.points.Row(i), models.points.Row(starts[0]));
    for (const size_t start : starts) {
      nearest = std::min(nearest, Distance(models.points.Row(i), models.points.Row(start)));
    }
    if (nearest <= farthest_distance) continue;
    farthest = i;
    farthest_distance = nearest;
  }
  return farthest;
}

Result<void> CheckDistinct(const ModelPoints& models, std::span<const size_t> starts) {
  for (size_t i = 0; i < starts.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const auto& names = models.model_names;
      if (starts[i] == starts[j]) {
        return UsageError(fmt::format("the centre \"{}\" is given twice", names[starts[i]]));
      }
      if (Distance(models.points.Row(starts[i]), models.points.Row(starts[j])) > 0) continue;
      return Error{.kind = ErrorKind::kMismatch,
                   .problem = fmt::format("the centres \"{}\" and \"{}\" have equal fingerprints",
                                          names[starts[j]], names[starts[i]]),
                   .advice = "name one of them"};
    }
  }
  return {};
}

// The models at which the clusters start.
Result<std::vector<size_t>> StartsOf(const ModelPoints& models, const ClusterOptions& options) {
  const size_t named = options.center_names.size();
  const size_t count = options.cluster_count.value_or(named);
  if (named == 0) return UsageError("no centre given");
  if (count < named) {
    return UsageError(fmt::format("{} clusters asked for, but {} centres given", count, named));
  }
  if (count > models.model_names.size()) {
    return UsageError(fmt::format("{} clusters asked for, but only {} models given", count,
                                  models.model_names.size()));
  }
  std::vector<size_t> starts;
  for (const std::string& name : options.center_names) {
    TG_ASSIGN(const auto model, FindModel(models, name));
    starts.push_back(model);
  }
  TG_TRY(CheckDistinct(models, starts));
  while (starts.size() < count) {
    const size_t farthest = FarthestModel(models, starts);
    if (std::find(starts.begin(), starts.end(), farthest) != starts.end()) {
      return Error{.kind = ErrorKind::kMismatch,
                   .problem = fmt::format("{} clusters asked for, but the models have only {} "
                                          "different fingerprints",
                                          count, starts.size())};
    }
    starts.push_back(farthest);
  }
  return starts;
}

// The start of the mixture: one component per cluster that has a model.
struct MixtureStart {
  std::vector<size_t> cluster_of_component;
  arma::mat means;
  arma::mat variances;
  arma::rowvec weights;
};

MixtureStart StartMixture(const arma::mat& points, const Clustering& clustering) {
  MixtureStart start;
  for (size_t cluster = 0; cluster < clustering.center_names.size(); ++cluster) {
    std::vector<arma::uword> members;
    for (size_t i = 0; i < clustering.cluster_of_model.size(); ++i) {
      if (clustering.cluster_of_model[i] == cluster) members.push_back(i);
    }
    if (members.empty()) continue;
    const arma::mat family = points.cols(arma::uvec(members));
    const arma::vec variance = arma::var(family, /*population:*/ 1, /*over columns:*/ 1);
    start.cluster_of_component.push_back(cluster);
    start.means = arma::join_rows(start.means, arma::vec(arma::mean(family, 1)));
    start.variances =
        arma::join_rows(start.variances, arma::clamp(variance, kVarianceFloor, arma::datum::inf));
    start.weights = arma::join_rows(
        start.weights,
        arma::rowvec{static_cast<double>(members.size()) / static_cast<double>(points.n_cols)});
  }
  return start;
}

}  // namespace

Result<Clustering> ClusterByKMeans(const ModelPoints& models, const ClusterOptions& options) {
  TG_ASSIGN(const auto starts, StartsOf(models, options));

  const arma::mat points = ToColumns(models.points);
  arma::mat means = points.cols(arma::uvec(std::vector<arma::uword>(starts.begin(), starts.end())));
  // Armadillo draws a replacement only when more clusters are empty than are not; even then the
  // same input gives the same result.
  arma::arma_rng::set_seed(0);
  if (!arma::kmeans(means, points, starts.size(), arma::keep_existing, kMostIterations, false)) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "the models are too alike for this number of clusters"};
  }

  Clustering clustering;
  for (const size_t start : starts) {
    clustering.center_names.push_back(models.model_names[start]);
  }
  clustering.means = ToRows(means);
  for (size_t i = 0; i < models.points.rows(); ++i) {
    clustering.cluster_of_model.push_back(NearestRow(clustering.means, models.points.Row(i)));
  }
  return clustering;
}

Result<Clustering> ClusterByMixture(const ModelPoints& models, const ClusterOptions& options) {
  auto clustering = ClusterByKMeans(models, options);
  if (!clustering) return clustering;

  const arma::mat points = ToColumns(models.points);
  const MixtureStart start = StartMixture(points, *clustering);
  arma::gmm_diag mixture;
  mixture.set_params(start.means, start.variances, start.weights);
  const bool fits =
      mixture.learn(points, start.cluster_of_component.size(), arma::eucl_dist, arma::keep_existing,
                    /*km_iter=*/0, kMostIterations, kVarianceFloor, false);
  if (!fits) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "no Gaussian mixture fits these models",
                 .advice = "use K-Means"};
  }

  for (size_t i = 0; i < points.n_cols; ++i) {
    const arma::uword component = mixture.assign(points.col(i), arma::prob_dist);
    clustering->cluster_of_model[i] = start.cluster_of_component[component];
  }
  const Matrix means = ToRows(mixture.means);
  for (size_t component = 0; component < means.rows(); ++component) {
    const auto row = means.Row(component);
    const size_t cluster = start.cluster_of_component[component];
    std::copy(row.begin(), row.end(), clustering->means.Row(cluster).begin());
  }
  return clustering;
}

}  // namespace tensorguard::internal
