// How well clusters are separated.
#ifndef TENSORGUARD_FAMILIES_SILHOUETTE_H_
#define TENSORGUARD_FAMILIES_SILHOUETTE_H_

#include <optional>
#include <span>

#include "numerics/matrix.h"

namespace tensorguard::internal {

// Mean silhouette coefficient (Rousseeuw 1987) of the rows of `points`, in [-1, 1]: per row
// (b - a) / max(a, b), a the mean distance to the other members of its cluster and b the smallest
// mean distance to the members of another; 0 for the only member of a cluster.
// Empty where it is not defined: with one cluster, or as many as rows.
// REQUIRES: cluster_of_row.size() == points.rows().
std::optional<double> Silhouette(const Matrix& points, std::span<const size_t> cluster_of_row);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_SILHOUETTE_H_
