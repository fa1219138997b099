#include "families/lineage.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <numeric>
#include <tuple>

namespace tensorguard {
namespace {

struct Edge {
  double squared_distance = 0;
  size_t a = 0;
  size_t b = 0;
};

using Neighbours = std::vector<std::vector<size_t>>;

std::vector<Edge> SortedEdges(size_t models, const SquaredDistance& squared_distance) {
  std::vector<Edge> edges;
  for (size_t a = 0; a < models; ++a) {
    for (size_t b = a + 1; b < models; ++b) {
      if (const auto distance = squared_distance(a, b)) edges.push_back({*distance, a, b});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& x, const Edge& y) {
    return std::tie(x.squared_distance, x.a, x.b) < std::tie(y.squared_distance, y.a, y.b);
  });
  return edges;
}

// A tree for each set of models that have distances between them.
Neighbours MinimumSpanningTree(size_t models, const SquaredDistance& squared_distance) {
  std::vector<size_t> tree_of(models);
  std::iota(tree_of.begin(), tree_of.end(), 0);
  Neighbours neighbours(models);
  for (const Edge& edge : SortedEdges(models, squared_distance)) {
    const size_t kept = tree_of[edge.a];
    const size_t joined = tree_of[edge.b];
    if (kept == joined) continue;
    std::replace(tree_of.begin(), tree_of.end(), joined, kept);
    neighbours[edge.a].push_back(edge.b);
    neighbours[edge.b].push_back(edge.a);
  }
  return neighbours;
}

// The tree seen from one of its models.
struct Walk {
  std::vector<std::optional<size_t>> steps;  // empty: not in its tree
  std::vector<size_t> previous;
};

Walk WalkFrom(size_t start, const Neighbours& neighbours) {
  Walk walk = {.steps = std::vector<std::optional<size_t>>(neighbours.size()),
               .previous = std::vector<size_t>(neighbours.size(), start)};
  walk.steps[start] = 0;
  std::deque<size_t> waiting = {start};
  while (!waiting.empty()) {
    const size_t model = waiting.front();
    waiting.pop_front();
    for (const size_t next : neighbours[model]) {
      if (walk.steps[next]) continue;
      walk.steps[next] = *walk.steps[model] + 1;
      walk.previous[next] = model;
      waiting.push_back(next);
    }
  }
  return walk;
}

}  // namespace

std::vector<size_t> TraceLineage(size_t models, size_t nearest,
                                 const SquaredDistance& squared_distance) {
  assert(nearest < models);
  const Neighbours neighbours = MinimumSpanningTree(models, squared_distance);
  const Walk walk = WalkFrom(nearest, neighbours);
  const auto rank = [&](size_t model) {
    return std::tuple(neighbours[model].size(), *walk.steps[model]);
  };
  size_t root = nearest;
  for (size_t model = 0; model < models; ++model) {
    if (walk.steps[model] && rank(model) > rank(root)) root = model;
  }
  std::vector<size_t> ancestors;
  for (size_t model = root; model != nearest; model = walk.previous[model]) {
    ancestors.push_back(model);
  }
  ancestors.push_back(nearest);
  std::reverse(ancestors.begin(), ancestors.end());
  return ancestors;
}

}  // namespace tensorguard
