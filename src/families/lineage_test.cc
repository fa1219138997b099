#include "families/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tensorguard {
namespace {

using ::testing::ElementsAre;

// Models as points: each child is its parent plus a random step.
struct Tree {
  std::vector<std::vector<double>> points;

  size_t Add(std::optional<size_t> parent, unsigned seed, double step = 1) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal(0, step / 20);
    std::vector<double> point = parent ? points[*parent] : std::vector<double>(400);
    for (double& each : point) each += normal(generator);
    points.push_back(point);
    return points.size() - 1;
  }

  SquaredDistance distance() const {
    return [this](size_t a, size_t b) -> std::optional<double> {
      double sum = 0;
      for (size_t i = 0; i < points[a].size(); ++i) {
        sum += (points[a][i] - points[b][i]) * (points[a][i] - points[b][i]);
      }
      return sum;
    };
  }
};

TEST(Lineage, AFineTuneLeadsToTheBase) {
  Tree tree;
  const size_t base = tree.Add({}, 1, 20);
  const size_t first = tree.Add(base, 2);
  tree.Add(base, 3);
  EXPECT_THAT(TraceLineage(3, first, tree.distance()), ElementsAre(first, base));
}

TEST(Lineage, TwoKnownModelsAreEnough) {
  Tree tree;
  const size_t base = tree.Add({}, 1, 20);
  const size_t first = tree.Add(base, 2);
  EXPECT_THAT(TraceLineage(2, first, tree.distance()), ElementsAre(first, base));
}

TEST(Lineage, SiblingsAreNoAncestors) {
  Tree tree;
  const size_t base = tree.Add({}, 1, 20);
  tree.Add(base, 2);
  tree.Add(base, 3);
  EXPECT_THAT(TraceLineage(3, base, tree.distance()), ElementsAre(base));
}

TEST(Lineage, StepsInBetweenAreNamed) {
  Tree tree;
  const size_t base = tree.Add({}, 1, 20);
  for (unsigned seed = 2; seed < 5; ++seed) tree.Add(base, seed);
  const size_t second = tree.Add(1, 5);
  EXPECT_THAT(TraceLineage(5, second, tree.distance()), ElementsAre(second, 1u, base));
}

TEST(Lineage, OneRelativeIsTheRoot) {
  Tree tree;
  tree.Add({}, 1, 20);
  EXPECT_THAT(TraceLineage(1, 0, tree.distance()), ElementsAre(0u));
}

TEST(Lineage, WithoutDistancesItEndsAtTheNearest) {
  const auto none = [](size_t, size_t) { return std::optional<double>(); };
  EXPECT_THAT(TraceLineage(2, 1, none), ElementsAre(1u));
}

}  // namespace
}  // namespace tensorguard
