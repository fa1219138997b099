#include "comparison/merges/merge_parents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "numerics/non_negative_least_squares.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

std::optional<MergeExplanation> ParentsOf(const ToyModel& child,
                                          const std::vector<ToyModel>& candidates) {
  std::vector<Fingerprint> fingerprints;
  for (const ToyModel& candidate : candidates) fingerprints.push_back(FingerprintOf(candidate));
  std::vector<const Fingerprint*> pointers;
  for (const Fingerprint& fingerprint : fingerprints) pointers.push_back(&fingerprint);
  return FindMergeParents(FingerprintOf(child), pointers);
}

ToyModel Merged(const std::vector<ToyModel>& parents, const std::vector<double>& weights) {
  ToyModel merged = parents[0];
  for (size_t layer = 0; layer < merged.layers.size(); ++layer) {
    const auto matrices = merged.layers[layer].Matrices();
    for (size_t i = 0; i < matrices.size(); ++i) {
      matrices[i]->zeros();
      for (size_t parent = 0; parent < parents.size(); ++parent) {
        ToyLayer other = parents[parent].layers[layer];
        *matrices[i] += weights[parent] * *other.Matrices()[i];
      }
    }
  }
  return merged;
}

TEST(FindMergeParents, NamesParentsAndWeights) {
  const auto base = RandomToyModel(1);
  const auto first = Noised(base, 0.1, 2);
  const auto second = Noised(base, 0.2, 3);
  const auto other = Noised(base, 0.1, 4);
  const auto merge = ParentsOf(Noised(Merged({first, second}, {0.3, 0.7}), 0.001, 9),
                               {base, first, other, second});
  ASSERT_TRUE(merge);
  ASSERT_EQ(merge->parents.size(), 2u);
  EXPECT_EQ(merge->parents[0].candidate, 3u);
  EXPECT_NEAR(merge->parents[0].weight, 0.7, 0.01);
  EXPECT_EQ(merge->parents[1].candidate, 1u);
  EXPECT_NEAR(merge->parents[1].weight, 0.3, 0.01);
  EXPECT_LT(merge->residual, 0.01);
}

TEST(FindMergeParents, NamesThreeParents) {
  const auto base = RandomToyModel(1);
  const auto merge = ParentsOf(
      Merged({Noised(base, 0.1, 2), Noised(base, 0.1, 3), Noised(base, 0.1, 4)}, {0.5, 0.3, 0.2}),
      {base, Noised(base, 0.1, 2), Noised(base, 0.1, 3), Noised(base, 0.1, 4)});
  ASSERT_TRUE(merge);
  ASSERT_EQ(merge->parents.size(), 3u);
  EXPECT_NEAR(merge->parents[2].weight, 0.2, 0.01);
}

TEST(FindMergeParents, NamesNoParentsOfAFineTune) {
  const auto base = RandomToyModel(1);
  const auto sibling = Noised(base, 0.1, 2);
  EXPECT_FALSE(ParentsOf(Noised(base, 0.1, 3), {base, sibling}));
  EXPECT_FALSE(ParentsOf(Noised(sibling, 0.05, 3), {base, sibling}));
}

TEST(FindMergeParents, NamesNoParentsOfACopy) {
  const auto base = RandomToyModel(1);
  EXPECT_FALSE(ParentsOf(base, {base, Noised(base, 0.1, 2), Noised(base, 0.1, 3)}));
}

TEST(FindMergeParents, LeavesOutModelsOfOtherShapesAndCopies) {
  const auto base = RandomToyModel(1);
  const auto first = Noised(base, 0.1, 2);
  const auto second = Noised(base, 0.1, 3);
  const auto merge =
      ParentsOf(Merged({first, second}, {0.5, 0.5}),
                {RandomToyModel(1, 3), first, first, RandomToyModel(5, 4, 48), second});
  ASSERT_TRUE(merge);
  ASSERT_EQ(merge->parents.size(), 2u);
  EXPECT_THAT((std::vector{merge->parents[0].candidate, merge->parents[1].candidate}),
              ::testing::UnorderedElementsAre(1u, 4u));
}

TEST(FindMergeParents, NamesPiecesByTheirNumbers) {
  const auto base = RandomToyModel(1);
  const auto first = Noised(base, 0.1, 2);
  const auto second = Noised(base, 0.1, 3);
  ToyModel stacked = first;
  stacked.layers = {first.layers[0],  first.layers[1], second.layers[0],
                    second.layers[3], first.layers[2], first.layers[3]};
  const auto merge = ParentsOf(stacked, {base, second, first});
  ASSERT_TRUE(merge);
  ASSERT_EQ(merge->parents.size(), 2u);
  EXPECT_EQ(merge->parents[0].candidate, 2u);
  EXPECT_NEAR(merge->parents[0].weight, 2.0 / 3, 1e-9);
  EXPECT_EQ(merge->parents[1].candidate, 1u);
  // All of one model, in another order and not all of it.
  stacked.layers = {first.layers[3], first.layers[1], first.layers[1]};
  EXPECT_FALSE(ParentsOf(stacked, {base, second, first}));
}

TEST(FindMergeParents, NamesParentsWhoseWeightsDifferByLayer) {
  const auto base = RandomToyModel(1);
  const auto first = Noised(base, 0.1, 2);
  const auto second = Noised(base, 0.1, 3);
  ToyModel merged = first;
  for (size_t layer = 0; layer < 4; ++layer) {
    const double weight = static_cast<double>(layer) / 3;
    merged.layers[layer] = Merged({first, second}, {1 - weight, weight}).layers[layer];
  }
  const auto merge = ParentsOf(merged, {base, Noised(base, 0.1, 4), first, second});
  ASSERT_TRUE(merge);
  ASSERT_EQ(merge->parents.size(), 2u);
  EXPECT_THAT((std::vector{merge->parents[0].candidate, merge->parents[1].candidate}),
              ::testing::UnorderedElementsAre(2u, 3u));
}

// child = base + sum of weights times the increments, of which a share is left out at random and
// the rest made larger by as much.
ToyModel WithIncrements(const ToyModel& base, const std::vector<ToyModel>& parents,
                        const std::vector<double>& weights, double kept) {
  std::mt19937 generator(77);
  std::bernoulli_distribution keeps(kept);
  ToyModel child = base;
  for (size_t layer = 0; layer < base.layers.size(); ++layer) {
    const auto matrices = child.layers[layer].Matrices();
    ToyLayer from = base.layers[layer];
    for (size_t parent = 0; parent < parents.size(); ++parent) {
      ToyLayer other = parents[parent].layers[layer];
      for (size_t i = 0; i < matrices.size(); ++i) {
        arma::mat increment = *other.Matrices()[i] - *from.Matrices()[i];
        increment.transform([&](double value) { return keeps(generator) ? value / kept : 0; });
        *matrices[i] += weights[parent] * increment;
      }
    }
  }
  return child;
}

TEST(FindMergeParents, NamesTheIncrementsOfSparseMergesAndTaskArithmetic) {
  const auto base = RandomToyModel(1);
  const auto first = Noised(base, 0.1, 2);
  const auto second = Noised(base, 0.1, 3);
  for (const auto& [weights, kept] : {std::pair{std::vector{0.5, 0.5}, 0.6},
                                      {std::vector{0.9, 0.8}, 1.0},
                                      {std::vector{0.6, -0.4}, 1.0}}) {
    const auto merge = ParentsOf(WithIncrements(base, {first, second}, weights, kept),
                                 {Noised(base, 0.1, 4), first, base, second});
    ASSERT_TRUE(merge);
    double of_first = 0;
    double of_second = 0;
    for (const MergeParent& parent : merge->parents) {
      EXPECT_NE(parent.candidate, 0u);
      if (parent.candidate == 1) of_first = parent.weight;
      if (parent.candidate == 3) of_second = parent.weight;
    }
    EXPECT_NEAR(of_first, weights[0], 0.05);
    EXPECT_NEAR(of_second, weights[1], 0.05);
  }
}

TEST(FindMergeParents, NamesAnIncrementTakenAway) {
  const auto base = RandomToyModel(1);
  const auto first = Noised(base, 0.2, 2);
  const auto merge =
      ParentsOf(WithIncrements(base, {first}, {-0.5}, 1), {base, Noised(base, 0.2, 4), first});
  ASSERT_TRUE(merge);
  ASSERT_EQ(merge->parents.size(), 2u);
  EXPECT_EQ(merge->parents[0].candidate, 0u);
  EXPECT_NEAR(merge->parents[0].weight, 1.5, 0.02);
  EXPECT_EQ(merge->parents[1].candidate, 2u);
}

// Siblings that share a part of what they learned, more in some matrices than in others.
TEST(FindMergeParents, NamesNoParentsAmongSiblingsThatLearnedAlike) {
  const auto base = RandomToyModel(1);
  const auto shared = Noised(base, 0.1, 50);
  const auto sibling = [&](uint32_t seed) {
    ToyModel model = Noised(base, 0.1, seed);
    for (size_t layer = 0; layer < model.layers.size(); ++layer) {
      const auto matrices = model.layers[layer].Matrices();
      ToyLayer common = shared.layers[layer];
      ToyLayer from = base.layers[layer];
      for (size_t i = 0; i < matrices.size(); ++i) {
        const double share = 0.3 + 0.9 * static_cast<double>((layer + i) % 3);
        *matrices[i] += share * (*common.Matrices()[i] - *from.Matrices()[i]);
      }
    }
    return model;
  };
  EXPECT_FALSE(ParentsOf(sibling(2), {base, sibling(3), sibling(4)}));
  EXPECT_FALSE(ParentsOf(sibling(2), {sibling(3), sibling(4)}));
  // Nor of the base among its children.
  EXPECT_FALSE(ParentsOf(base, {Noised(base, 0.1, 2), Noised(base, 0.2, 3), Noised(base, 0.3, 4)}));
}

TEST(FindMergeParents, NeedsTwoCandidates) {
  const auto base = RandomToyModel(1);
  EXPECT_FALSE(ParentsOf(Noised(base, 0.1, 2), {}));
  EXPECT_FALSE(ParentsOf(Noised(base, 0.1, 2), {base}));
}

// The best x over all sets of entries that may be positive.
arma::vec SolveByTryingAll(const arma::mat& a, const arma::vec& y) {
  arma::vec best(a.n_cols, arma::fill::zeros);
  for (arma::uword set = 1; set < (1u << a.n_cols); ++set) {
    std::vector<arma::uword> members;
    for (arma::uword i = 0; i < a.n_cols; ++i) {
      if ((set >> i) & 1) members.push_back(i);
    }
    const arma::uvec columns(members);
    const arma::vec fitted = arma::solve(a.cols(columns), y);
    if (fitted.min() < 0) continue;
    arma::vec x(a.n_cols, arma::fill::zeros);
    x.elem(columns) = fitted;
    if (arma::norm(a * x - y) < arma::norm(a * best - y)) best = x;
  }
  return best;
}

TEST(SolveNonNegative, FindsWhatTryingAllFinds) {
  std::mt19937 generator(6);
  for (int round = 0; round < 30; ++round) {
    const arma::mat a = RandomMatrix(8, 5, generator);
    const arma::vec y = arma::vectorise(RandomMatrix(8, 1, generator));
    const arma::vec found = SolveNonNegative(a.t() * a, a.t() * y);
    EXPECT_LT(arma::norm(found - SolveByTryingAll(a, y)), 1e-8) << round;
  }
}

TEST(SolveNonNegative, EndsOnEqualColumns) {
  arma::mat a(4, 3, arma::fill::ones);
  const arma::vec y(4, arma::fill::value(2));
  const arma::vec x = SolveNonNegative(a.t() * a, a.t() * y);
  EXPECT_GE(x.min(), 0);
  EXPECT_NEAR(arma::accu(x), 2, 1e-6);
}

}  // namespace
}  // namespace tensorguard::internal
