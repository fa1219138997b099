#include "families/baselines/arborescence.h"

#include <cmath>
#include <limits>
#include <utility>

namespace tensorguard::internal {
namespace {

constexpr double kNoEdge = std::numeric_limits<double>::infinity();
constexpr size_t kRoot = 0;

// Of each node but the root the parent by the cheapest edge. REQUIRES: each has one.
std::vector<size_t> CheapestParents(const arma::mat& costs) {
  std::vector<size_t> parents(costs.n_cols, kRoot);
  for (size_t child = 1; child < costs.n_cols; ++child) {
    parents[child] = costs.col(child).index_min();
  }
  return parents;
}

// Nodes with each circle of `parents` as one. The root stays the first.
struct Contraction {
  std::vector<size_t> node;  // of each node before
  size_t nodes = 0;
  std::vector<bool> in_circle;  // of each node before
};

std::vector<bool> NodesInCircles(const std::vector<size_t>& parents) {
  std::vector<size_t> seen_in(parents.size(), 0);  // the walk, from 1
  std::vector<bool> in_circle(parents.size(), false);
  seen_in[kRoot] = parents.size() + 1;
  for (size_t start = 1; start < parents.size(); ++start) {
    size_t at = start;
    while (seen_in[at] == 0) {
      seen_in[at] = start;
      at = parents[at];
    }
    if (seen_in[at] != start) continue;
    for (size_t each = at; !in_circle[each]; each = parents[each]) in_circle[each] = true;
  }
  return in_circle;
}

Contraction Contract(const std::vector<size_t>& parents) {
  Contraction contraction{.node = std::vector<size_t>(parents.size(), parents.size()),
                          .in_circle = NodesInCircles(parents)};
  for (size_t each = 0; each < parents.size(); ++each) {
    if (contraction.node[each] < parents.size()) continue;
    const size_t node = contraction.nodes++;
    contraction.node[each] = node;
    if (!contraction.in_circle[each]) continue;
    for (size_t at = parents[each]; at != each; at = parents[at]) contraction.node[at] = node;
  }
  return contraction;
}

std::vector<size_t> ParentsIn(const arma::mat& costs);

// Solves the smaller problem; where its tree enters a circle, the circle's edge there gives way.
std::vector<size_t> SolveContracted(const arma::mat& costs, std::vector<size_t> parents,
                                    const Contraction& contraction) {
  arma::mat smaller(contraction.nodes, contraction.nodes, arma::fill::value(kNoEdge));
  arma::umat from(contraction.nodes, contraction.nodes, arma::fill::zeros);
  arma::umat to(contraction.nodes, contraction.nodes, arma::fill::zeros);
  for (size_t child = 1; child < costs.n_cols; ++child) {
    const double saved = contraction.in_circle[child] ? costs(parents[child], child) : 0;
    for (size_t parent = 0; parent < costs.n_rows; ++parent) {
      const size_t one = contraction.node[parent];
      const size_t other = contraction.node[child];
      const double cost = costs(parent, child) - saved;
      if (one == other || !(cost < smaller(one, other))) continue;
      smaller(one, other) = cost;
      from(one, other) = parent;
      to(one, other) = child;
    }
  }
  const std::vector<size_t> solved = ParentsIn(smaller);
  for (size_t node = 1; node < contraction.nodes; ++node) {
    parents[to(solved[node], node)] = from(solved[node], node);
  }
  return parents;
}

// REQUIRES: from the root, node 0, each node has an edge.
std::vector<size_t> ParentsIn(const arma::mat& costs) {
  std::vector<size_t> parents = CheapestParents(costs);
  const Contraction contraction = Contract(parents);
  if (contraction.nodes == parents.size()) return parents;
  return SolveContracted(costs, std::move(parents), contraction);
}

}  // namespace

std::vector<std::optional<size_t>> MinimumArborescence(const arma::mat& costs) {
  const size_t nodes = costs.n_cols;
  // A root above all, from which one edge costs more than any tree.
  arma::mat with_root(nodes + 1, nodes + 1, arma::fill::value(kNoEdge));
  double much = 1;
  for (size_t child = 0; child < nodes; ++child) {
    for (size_t parent = 0; parent < nodes; ++parent) {
      if (parent == child || !std::isfinite(costs(parent, child))) continue;
      with_root(parent + 1, child + 1) = costs(parent, child);
      much += std::abs(costs(parent, child));
    }
  }
  for (size_t child = 1; child <= nodes; ++child) with_root(kRoot, child) = much;
  const std::vector<size_t> solved = ParentsIn(with_root);
  std::vector<std::optional<size_t>> parents(nodes);
  for (size_t child = 0; child < nodes; ++child) {
    if (solved[child + 1] != kRoot) parents[child] = solved[child + 1] - 1;
  }
  return parents;
}

}  // namespace tensorguard::internal
