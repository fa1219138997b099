// The paper's family clustering: one cluster per named base model.
#ifndef TENSORGUARD_FAMILIES_CLUSTERING_H_
#define TENSORGUARD_FAMILIES_CLUSTERING_H_

#include <optional>
#include <string>
#include <vector>

#include "families/model_points.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ClusterOptions {
  std::vector<std::string> center_names;  // models of the models, each the start of a cluster
  // More clusters than names: each further one starts at the model that lies farthest from all
  // starts so far (the reference draws them at random). Empty: one per name.
  std::optional<size_t> cluster_count = {};
};

struct Clustering {
  // The family of cluster c is that of the model it started from, even if that model ended in
  // another cluster. (With the published fingerprints this happens to Qwen2.5-3B.)
  std::vector<std::string> center_names;
  std::vector<size_t> cluster_of_model = {};  // in the order of the matrix's models
  Matrix means = {};                          // a row per cluster, standardised
};

// K-Means from the points of the named models, one start, until no model moves. A cluster that
// loses all its models on the way restarts at a model of the last cluster that has two.
// Errors: kUsage for no, repeated or too few clusters and for more clusters than models; kNotFound
// for a name that is no model of the matrix; kMismatch for two starts with equal fingerprints.
Result<Clustering> ClusterByKMeans(const ModelPoints& models, const ClusterOptions& options);

// A Gaussian mixture, started at the means, variances and sizes of the K-Means clusters; a model
// belongs to the component with the highest posterior.
//
// The covariances are diagonal: a family holds seven or eight models, a full covariance of 14
// features has 105 numbers and would be singular. kVarianceFloor keeps a family of near-equal
// copies from shrinking to a point that repels the next copy. On the published fingerprints every
// floor from 1e-6 to 0.3 gives the same families.
// Errors: those of ClusterByKMeans; kMismatch if the mixture does not fit.
Result<Clustering> ClusterByMixture(const ModelPoints& models, const ClusterOptions& options);

// In units of a feature's variance over the population: a family is never narrower than a tenth of
// the population's standard deviation.
inline constexpr double kVarianceFloor = 0.01;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_CLUSTERING_H_
