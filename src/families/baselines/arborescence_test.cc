#include "families/baselines/arborescence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;

constexpr double kNone = std::numeric_limits<double>::infinity();

// The least cost of all trees, by trying every choice of parents. Nodes are few.
double LeastCost(const arma::mat& costs) {
  const size_t nodes = costs.n_cols;
  size_t choices = 1;
  for (size_t i = 0; i < nodes; ++i) choices *= nodes;
  double least = kNone;
  for (size_t choice = 0; choice < choices; ++choice) {
    std::vector<size_t> parents(nodes);
    size_t rest = choice;
    size_t roots = 0;
    double cost = 0;
    for (size_t child = 0; child < nodes; ++child, rest /= nodes) {
      parents[child] = rest % nodes;
      if (parents[child] == child) {
        ++roots;
      } else {
        cost += costs(parents[child], child);
      }
    }
    if (roots != 1 || cost >= least) continue;
    bool is_tree = true;
    for (size_t child = 0; child < nodes; ++child) {
      size_t at = child;
      for (size_t step = 0; step < nodes; ++step) at = parents[at];
      is_tree &= parents[at] == at;
    }
    if (is_tree) least = cost;
  }
  return least;
}

TEST(MinimumArborescence, CostsNoMoreThanAnyOtherTree) {
  std::mt19937 generator(1);
  std::uniform_int_distribution<int> cost(1, 9);
  for (int trial = 0; trial < 200; ++trial) {
    arma::mat costs(5, 5);
    costs.imbue([&] { return cost(generator); });
    const auto parents = MinimumArborescence(costs);
    double found = 0;
    size_t roots = 0;
    for (size_t child = 0; child < parents.size(); ++child) {
      if (parents[child]) {
        found += costs(*parents[child], child);
      } else {
        ++roots;
      }
    }
    EXPECT_EQ(roots, 1u);
    EXPECT_DOUBLE_EQ(found, LeastCost(costs)) << costs;
  }
}

TEST(MinimumArborescence, HasSeveralRootsWhereNotAllAreReached) {
  arma::mat costs(4, 4, arma::fill::value(kNone));
  costs(0, 1) = 1;
  costs(2, 3) = 1;
  EXPECT_THAT(MinimumArborescence(costs),
              ElementsAre(Eq(std::nullopt), Optional(0u), Eq(std::nullopt), Optional(2u)));
  EXPECT_TRUE(MinimumArborescence(arma::mat()).empty());
}

}  // namespace
}  // namespace tensorguard::internal
