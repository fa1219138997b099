#include "families/silhouette.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace tensorguard::internal {

std::optional<double> Silhouette(const Matrix& points, std::span<const size_t> cluster_of_row) {
  std::vector<size_t> members;
  for (const size_t cluster : cluster_of_row) {
    if (cluster >= members.size()) members.resize(cluster + 1);
    ++members[cluster];
  }
  const size_t clusters = members.size() - std::count(members.begin(), members.end(), 0u);
  if (clusters < 2 || clusters >= points.rows()) return {};

  double total = 0;
  for (size_t i = 0; i < points.rows(); ++i) {
    std::vector<double> distance_sums(members.size());
    for (size_t j = 0; j < points.rows(); ++j) {
      distance_sums[cluster_of_row[j]] += Distance(points.Row(i), points.Row(j));
    }
    const size_t own = cluster_of_row[i];
    if (members[own] == 1) continue;
    const double within = distance_sums[own] / static_cast<double>(members[own] - 1);
    double nearest_other = std::numeric_limits<double>::infinity();
    for (size_t cluster = 0; cluster < members.size(); ++cluster) {
      if (cluster == own || members[cluster] == 0) continue;
      nearest_other =
          std::min(nearest_other, distance_sums[cluster] / static_cast<double>(members[cluster]));
    }
    const double larger = std::max(within, nearest_other);
    if (larger > 0) total += (nearest_other - within) / larger;
  }
  return total / static_cast<double>(points.rows());
}

}  // namespace tensorguard::internal
