// How models are to be grouped around named ones.
#ifndef TENSORGUARD_API_FAMILY_REQUEST_H_
#define TENSORGUARD_API_FAMILY_REQUEST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "families/clustering.h"

namespace tensorguard::internal {

enum class CenterMethod { kKMeans, kMixture };

// As in JSON output: "kmeans" or "gmm".
constexpr std::string_view CenterMethodName(CenterMethod method) {
  return method == CenterMethod::kKMeans ? "kmeans" : "gmm";
}

struct FamilyRequest {
  std::vector<std::string> models;        // models, fingerprints and folders of them
  std::vector<std::string> centers = {};  // names of models among them
  CenterMethod method = CenterMethod::kKMeans;
  std::optional<size_t> clusters = {};  // empty: one per center
  unsigned threads = 0;                 // 0: one per processor
};

// Families of the points around the centers of the request. Errors: those of ClusterByKMeans and
// ClusterByMixture.
inline Result<Clustering> ClusterAroundCenters(const ModelPoints& points,
                                               const FamilyRequest& request) {
  const auto cluster =
      request.method == CenterMethod::kMixture ? ClusterByMixture : ClusterByKMeans;
  return cluster(points, {.center_names = request.centers, .cluster_count = request.clusters});
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_FAMILY_REQUEST_H_
