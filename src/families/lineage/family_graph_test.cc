#include "families/lineage/family_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "families/lineage/place_in_family.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A model, and what is made from it.
class Trained {
 public:
  explicit Trained(unsigned seed) : model_(RandomToyModel(seed)) {}

  // Every matrix by random numbers of another size.
  Trained Child(unsigned seed, double step) const {
    Trained child = *this;
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> factor(0.4, 1.6);
    for (ToyLayer& layer : child.model_.layers) {
      for (arma::mat* matrix : layer.Matrices()) {
        *matrix +=
            step * factor(generator) * RandomMatrix(matrix->n_rows, matrix->n_cols, generator);
      }
    }
    return child;
  }

  Trained Mixed(const Trained& other, double share) const {
    Trained mixed = *this;
    mixed.ForEach(other, [&](arma::mat& own, const arma::mat& others) {
      own = share * own + (1 - share) * others;
    });
    return mixed;
  }

  // The change of `child` since `base`, half of its numbers dropped and the others doubled, times
  // `weight`, added to this one.
  Trained WithDropped(const Trained& child, const Trained& base, double weight,
                      unsigned seed) const {
    Trained change = child;
    std::mt19937 generator(seed);
    std::bernoulli_distribution kept(0.5);
    change.ForEach(base, [&](arma::mat& own, const arma::mat& others) {
      own -= others;
      own.for_each([&](double& each) { each *= kept(generator) ? 2 * weight : 0; });
    });
    Trained merged = *this;
    merged.ForEach(change, [](arma::mat& own, const arma::mat& others) { own += others; });
    return merged;
  }

  Fingerprint AsFingerprint() const { return FingerprintOf(model_); }

 private:
  template <typename Change>
  void ForEach(const Trained& other, const Change& change) {
    for (size_t layer = 0; layer < model_.layers.size(); ++layer) {
      ToyLayer others = other.model_.layers[layer];
      const auto own = model_.layers[layer].Matrices();
      const auto theirs = others.Matrices();
      for (size_t i = 0; i < own.size(); ++i) change(*own[i], *theirs[i]);
    }
  }

  ToyModel model_;
};

FamilyGraph GraphAmong(const std::vector<Trained>& models) {
  std::vector<Fingerprint> prints;
  for (const Trained& model : models) prints.push_back(model.AsFingerprint());
  std::vector<const Fingerprint*> pointers;
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t b = 0; b < prints.size(); ++b) {
    pointers.push_back(&prints[b]);
    for (size_t a = 0; a < b; ++a) pairs.emplace_back(a, b);
  }
  const auto graph = InferFamilyGraph(pointers, pairs);
  EXPECT_TRUE(graph);
  return graph ? *graph : FamilyGraph();
}

PlaceInFamily PlaceOf(const Trained& unknown, const std::vector<Trained>& known) {
  std::vector<Fingerprint> fingerprints;
  std::vector<Comparison> comparisons;
  const Fingerprint print = unknown.AsFingerprint();
  for (const Trained& each : known) {
    fingerprints.push_back(each.AsFingerprint());
    comparisons.push_back(*CompareFingerprints(print, fingerprints.back()));
  }
  std::vector<Relative> relatives;
  for (size_t i = 0; i < known.size(); ++i) {
    relatives.push_back({.known = i, .with_unknown = &comparisons[i]});
  }
  const auto place = FindPlaceInFamily(print, fingerprints, relatives);
  EXPECT_TRUE(place);
  return place ? *place : PlaceInFamily();
}

std::vector<size_t> ParentsIn(const FamilyGraph& graph, size_t child) {
  std::vector<size_t> parents;
  for (const LineageEdge* edge : graph.ParentsOf(child)) parents.push_back(edge->parent);
  return parents;
}

TEST(FamilyGraph, ATreeHasItsParents) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const Trained second = base.Child(3, 0.15);
  const FamilyGraph graph =
      GraphAmong({first.Child(4, 0.15), first, base, second, base.Child(5, 0.1)});
  EXPECT_EQ(graph.root_of_family.front(), 2u);
  EXPECT_THAT(ParentsIn(graph, 0), ElementsAre(1u));
  EXPECT_THAT(ParentsIn(graph, 1), ElementsAre(2u));
  EXPECT_THAT(ParentsIn(graph, 2), IsEmpty());
  EXPECT_THAT(ParentsIn(graph, 3), ElementsAre(2u));
  for (const LineageEdge& edge : graph.edges) EXPECT_TRUE(edge.directed) << edge.child;
}

// The mean of the same two explains as much of such a merge as they do.
TEST(FamilyGraph, AMergeWithDroppedNumbersBesideTheMeanOfItsParents) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const Trained second = base.Child(3, 0.15);
  const Trained merged = base.WithDropped(first, base, 0.5, 8).WithDropped(second, base, 0.5, 9);
  const FamilyGraph graph =
      GraphAmong({base, first, second, first.Mixed(second, 0.5), merged, base.Child(6, 0.15)});
  EXPECT_THAT(ParentsIn(graph, 3), UnorderedElementsAre(1u, 2u));
  EXPECT_THAT(ParentsIn(graph, 4), UnorderedElementsAre(1u, 2u));
  EXPECT_THAT(ParentsIn(graph, 1), ElementsAre(0u));
  EXPECT_THAT(ParentsIn(graph, 2), ElementsAre(0u));
}

// What two models have in common may be what both came from, or a merge of them.
TEST(FamilyGraph, AShortMergeIsNoParentOfItsParents) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const Trained second = base.Child(3, 0.2);
  const Trained merged = base.WithDropped(first, base, 0.35, 8).WithDropped(second, base, 0.35, 9);
  const FamilyGraph graph =
      GraphAmong({base, first, second, merged, base.Child(6, 0.15), base.Child(7, 0.25)});
  EXPECT_THAT(ParentsIn(graph, 1), ElementsAre(0u));
  EXPECT_THAT(ParentsIn(graph, 2), ElementsAre(0u));
  EXPECT_THAT(ParentsIn(graph, 3), UnorderedElementsAre(1u, 2u));
}

// Each merge has more in common with the others than with the two models that all were made from.
TEST(FamilyGraph, ManyMergesOfTheSameModelsNameThem) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const Trained second = base.Child(3, 0.18);
  std::vector<Trained> models = {base, first, second, base.Child(4, 0.15)};
  for (unsigned seed = 20; seed < 26; seed += 2) {
    models.push_back(
        base.WithDropped(first, base, 0.5, seed).WithDropped(second, base, 0.5, seed + 1));
  }
  const FamilyGraph graph = GraphAmong(models);
  EXPECT_THAT(ParentsIn(graph, 1), ElementsAre(0u));
  EXPECT_THAT(ParentsIn(graph, 2), ElementsAre(0u));
  for (size_t merge = 4; merge < models.size(); ++merge) {
    EXPECT_THAT(ParentsIn(graph, merge), UnorderedElementsAre(1u, 2u)) << merge;
  }
}

// Which of the two had numbers dropped, and which was there first, cannot be told.
TEST(FamilyGraph, AThinnedCopyAndItsOriginalHaveNoDirection) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const Trained thinned = base.WithDropped(first, base, 0.5, 8);
  const FamilyGraph graph =
      GraphAmong({base, first, thinned, base.Child(6, 0.15), base.Child(7, 0.18)});
  const auto is_between = [](const LineageEdge& edge) {
    return std::min(edge.child, edge.parent) == 1 && std::max(edge.child, edge.parent) == 2;
  };
  const auto edge = std::find_if(graph.edges.begin(), graph.edges.end(), is_between);
  ASSERT_NE(edge, graph.edges.end());
  EXPECT_FALSE(edge->directed);
}

TEST(FamilyGraph, StrangersHaveFamiliesOfTheirOwn) {
  const Trained base(1);
  const FamilyGraph graph = GraphAmong({base, base.Child(2, 0.2), Trained(9)});
  EXPECT_EQ(graph.family_of_model[0], graph.family_of_model[1]);
  EXPECT_NE(graph.family_of_model[0], graph.family_of_model[2]);
  EXPECT_THAT(ParentsIn(graph, 2), IsEmpty());
}

TEST(FamilyGraph, TwoSiblingsLackTheirParent) {
  const Trained base(1);
  const FamilyGraph graph = GraphAmong({base.Child(2, 0.2), base.Child(3, 0.2)});
  ASSERT_EQ(graph.family_of_missing.size(), 1u);
  EXPECT_THAT(ParentsIn(graph, 0), ElementsAre(2u));
  EXPECT_THAT(ParentsIn(graph, 1), ElementsAre(2u));
}

TEST(FamilyGraph, ManySiblingsLackTheirParent) {
  const Trained base(1);
  const FamilyGraph graph =
      GraphAmong({base.Child(2, 0.2), base.Child(3, 0.2), base.Child(4, 0.2), base.Child(5, 0.2)});
  ASSERT_EQ(graph.family_of_missing.size(), 1u);
  for (size_t child = 0; child < 4; ++child) EXPECT_THAT(ParentsIn(graph, child), ElementsAre(4u));
}

TEST(FamilyGraph, AParentAndItsChildAloneHaveNoDirection) {
  const Trained base(1);
  const FamilyGraph graph = GraphAmong({base, base.Child(2, 0.2)});
  EXPECT_TRUE(graph.family_of_missing.empty());
  ASSERT_EQ(graph.edges.size(), 1u);
  EXPECT_FALSE(graph.edges.front().directed);
}

TEST(FamilyGraph, AMergeHasSeveralParentsWithWeights) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const Trained second = base.Child(3, 0.2);
  const FamilyGraph graph = GraphAmong({base, first, second, first.Mixed(second, 0.7)});
  const auto parents = graph.ParentsOf(3);
  ASSERT_EQ(parents.size(), 2u);
  EXPECT_EQ(parents[0]->kind, EdgeKind::kMerge);
  EXPECT_EQ(parents[0]->parent, 1u);
  EXPECT_NEAR(parents[0]->weight, 0.7, 0.02);
  EXPECT_EQ(parents[1]->parent, 2u);
  ASSERT_TRUE(parents[0]->weight_error);
  EXPECT_LT(*parents[0]->weight_error, 0.01);
}

// Each of the others is twice the mean less the third: that makes none of them a merge, and the
// mean, which is the smallest of the three, no root.
TEST(FamilyGraph, AMeanOfTwoSiblingsIsTheMergeAndNoRoot) {
  const Trained base(1);
  const Trained one = base.Child(2, 0.1);
  const Trained other = base.Child(3, 0.1);
  const auto graph = GraphAmong({base, one, one.Mixed(other, 0.5), other});
  const auto parents = graph.ParentsOf(2);
  ASSERT_EQ(parents.size(), 2u);
  for (const LineageEdge* parent : parents) EXPECT_NEAR(parent->weight, 0.5, 0.05);
  EXPECT_THAT(graph.root_of_family, ElementsAre(0));
  for (const LineageEdge& edge : graph.edges) {
    if (edge.kind != EdgeKind::kMerge) continue;
    EXPECT_EQ(edge.child, 2u);
  }
}

TEST(FamilyGraph, AMergeThatDropsNumbersNamesItsParents) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const Trained second = base.Child(3, 0.2);
  const Trained merge = base.WithDropped(first, base, 0.6, 7).WithDropped(second, base, 0.5, 8);
  const FamilyGraph graph = GraphAmong({base, first, second, base.Child(4, 0.2), merge});
  const auto parents = graph.ParentsOf(4);
  ASSERT_EQ(parents.size(), 2u);
  EXPECT_EQ(parents[0]->parent, 1u);
  EXPECT_NEAR(parents[0]->weight, 0.6, 0.05);
  EXPECT_EQ(parents[1]->parent, 2u);
  EXPECT_NEAR(parents[1]->weight, 0.5, 0.05);
}

TEST(FamilyGraph, ABaseIsNoMergeOfItsChildren) {
  const Trained base(1);
  std::vector<Trained> models = {base};
  for (unsigned seed = 2; seed < 10; ++seed) models.push_back(base.Child(seed, 0.1));
  const FamilyGraph graph = GraphAmong(models);
  EXPECT_THAT(ParentsIn(graph, 0), IsEmpty());
  EXPECT_EQ(graph.root_of_family.front(), 0u);
}

TEST(PlaceInFamily, AFineTuneOfAFineTuneNamesParentAndRoot) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  const auto place = PlaceOf(first.Child(4, 0.2), {base.Child(3, 0.2), first, base});
  EXPECT_THAT(place.lineage, ElementsAre(1u, 2u));
}

TEST(PlaceInFamily, ABaseDoesNotComeFromWhatWasMadeFromIt) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2);
  for (const auto& known : std::vector<std::vector<Trained>>{
           {first},
           {first, first.Child(3, 0.1)},
           {first, base.Child(4, 0.1)},
           {first, first.Child(3, 0.1), first.Child(5, 0.1), base.Child(4, 0.05)},
           {first.Child(3, 0.1), first.Child(5, 0.1), first}}) {
    EXPECT_THAT(PlaceOf(base, known).lineage, IsEmpty()) << known.size();
  }
}

TEST(PlaceInFamily, ASiblingIsTheClosestAndNoParent) {
  const Trained base(1);
  const auto place = PlaceOf(base.Child(2, 0.2), {base.Child(3, 0.2)});
  EXPECT_THAT(place.lineage, IsEmpty());
  EXPECT_EQ(place.closest, 0u);
  EXPECT_TRUE(place.parent_missing);
}

TEST(PlaceInFamily, OneRelativeAloneIsTheClosest) {
  const Trained base(1);
  const auto place = PlaceOf(base.Child(2, 0.2), {base});
  EXPECT_THAT(place.lineage, IsEmpty());
  EXPECT_EQ(place.closest, 0u);
  EXPECT_FALSE(place.parent_missing);
}

}  // namespace
}  // namespace tensorguard::internal
