// The tree of least cost in which all edges lead away from its root.
#ifndef TENSORGUARD_FAMILIES_BASELINES_ARBORESCENCE_H_
#define TENSORGUARD_FAMILIES_BASELINES_ARBORESCENCE_H_

#include <armadillo>
#include <cstddef>
#include <optional>
#include <vector>

namespace tensorguard::internal {

// The parent of each node; of the root none. `costs`: [parents, children], infinite where there is
// no edge. The root is the node from which the whole costs least; where not all can be reached from
// one, there are several. Chu and Liu 1965, Edmonds 1967; memory grows with the square of the
// nodes.
std::vector<std::optional<size_t>> MinimumArborescence(const arma::mat& costs);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_BASELINES_ARBORESCENCE_H_
