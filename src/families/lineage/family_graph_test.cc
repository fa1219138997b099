#include "families/lineage/family_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "families/lineage/place_in_family.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Sketches of matrices that grow by random steps, as training grows them: in each matrix by another
// size, the same ones each time.
class Trained {
 public:
  explicit Trained(unsigned seed) : generator_(seed) {
    for (size_t i = 0; i < kMatrices; ++i) sketches_.emplace_back(kSketchSize, kSketchSize);
    std::normal_distribution<float> normal;
    for (FloatMatrix& sketch : sketches_) {
      for (float& each : sketch.values()) each = normal(generator_);
    }
  }

  Trained Child(unsigned seed, float step) const {
    Trained child = *this;
    child.generator_.seed(seed);
    std::normal_distribution<float> normal(0, step);
    std::uniform_real_distribution<float> factor(0.4f, 1.6f);
    for (FloatMatrix& sketch : child.sketches_) {
      const float size = factor(child.generator_);
      for (float& each : sketch.values()) each += size * normal(child.generator_);
    }
    return child;
  }

  Trained Mixed(const Trained& other, float share) const {
    Trained mixed = *this;
    for (size_t i = 0; i < kMatrices; ++i) {
      const auto others = other.sketches_[i].values();
      auto own = mixed.sketches_[i].values();
      for (size_t j = 0; j < own.size(); ++j) own[j] = share * own[j] + (1 - share) * others[j];
    }
    return mixed;
  }

  // The change since `base` with a share of its numbers dropped and the others scaled up, added to
  // this one, times `weight`.
  Trained WithDropped(const Trained& child, const Trained& base, float weight,
                      unsigned seed) const {
    Trained merged = *this;
    std::mt19937 generator(seed);
    std::bernoulli_distribution kept(0.5);
    for (size_t i = 0; i < kMatrices; ++i) {
      auto own = merged.sketches_[i].values();
      for (size_t j = 0; j < own.size(); ++j) {
        const float change = child.sketches_[i].values()[j] - base.sketches_[i].values()[j];
        if (kept(generator)) own[j] += 2 * weight * change;
      }
    }
    return merged;
  }

  Fingerprint AsFingerprint() const {
    Fingerprint fingerprint;
    fingerprint.vocabulary_size = 100;
    for (size_t i = 0; i < sketches_.size(); ++i) {
      fingerprint.layers.push_back({.index = static_cast<uint32_t>(i)});
      double squares = 0;
      for (const float each : sketches_[i].values()) squares += each * each;
      WeightSummary weight = {.tensor = "w" + std::to_string(i), .rows = 64, .columns = 64};
      weight.role = {.role = Role::kUp, .layer = static_cast<uint32_t>(i)};
      weight.norm = std::sqrt(squares);
      weight.sketch = sketches_[i];
      // Different numbers have different digests.
      std::memcpy(weight.digest.data(), sketches_[i].values().data(), weight.digest.size());
      fingerprint.weights.push_back(std::move(weight));
    }
    return fingerprint;
  }

 private:
  static constexpr size_t kMatrices = 16;

  std::mt19937 generator_;
  std::vector<FloatMatrix> sketches_;
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
  const Trained first = base.Child(2, 0.2f);
  const Trained second = base.Child(3, 0.15f);
  const FamilyGraph graph =
      GraphAmong({first.Child(4, 0.15f), first, base, second, base.Child(5, 0.1f)});
  EXPECT_EQ(graph.root_of_family.front(), 2u);
  EXPECT_THAT(ParentsIn(graph, 0), ElementsAre(1u));
  EXPECT_THAT(ParentsIn(graph, 1), ElementsAre(2u));
  EXPECT_THAT(ParentsIn(graph, 2), IsEmpty());
  EXPECT_THAT(ParentsIn(graph, 3), ElementsAre(2u));
  for (const LineageEdge& edge : graph.edges) EXPECT_TRUE(edge.directed) << edge.child;
}

TEST(FamilyGraph, StrangersHaveFamiliesOfTheirOwn) {
  const Trained base(1);
  const FamilyGraph graph = GraphAmong({base, base.Child(2, 0.2f), Trained(9)});
  EXPECT_EQ(graph.family_of_model[0], graph.family_of_model[1]);
  EXPECT_NE(graph.family_of_model[0], graph.family_of_model[2]);
  EXPECT_THAT(ParentsIn(graph, 2), IsEmpty());
}

TEST(FamilyGraph, TwoSiblingsLackTheirParent) {
  const Trained base(1);
  const FamilyGraph graph = GraphAmong({base.Child(2, 0.2f), base.Child(3, 0.2f)});
  ASSERT_EQ(graph.family_of_missing.size(), 1u);
  EXPECT_THAT(ParentsIn(graph, 0), ElementsAre(2u));
  EXPECT_THAT(ParentsIn(graph, 1), ElementsAre(2u));
}

TEST(FamilyGraph, ManySiblingsLackTheirParent) {
  const Trained base(1);
  const FamilyGraph graph = GraphAmong(
      {base.Child(2, 0.2f), base.Child(3, 0.2f), base.Child(4, 0.2f), base.Child(5, 0.2f)});
  ASSERT_EQ(graph.family_of_missing.size(), 1u);
  for (size_t child = 0; child < 4; ++child) EXPECT_THAT(ParentsIn(graph, child), ElementsAre(4u));
}

TEST(FamilyGraph, AParentAndItsChildAloneHaveNoDirection) {
  const Trained base(1);
  const FamilyGraph graph = GraphAmong({base, base.Child(2, 0.2f)});
  EXPECT_TRUE(graph.family_of_missing.empty());
  ASSERT_EQ(graph.edges.size(), 1u);
  EXPECT_FALSE(graph.edges.front().directed);
}

TEST(FamilyGraph, AMergeHasSeveralParentsWithWeights) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2f);
  const Trained second = base.Child(3, 0.2f);
  const FamilyGraph graph = GraphAmong({base, first, second, first.Mixed(second, 0.7f)});
  const auto parents = graph.ParentsOf(3);
  ASSERT_EQ(parents.size(), 2u);
  EXPECT_EQ(parents[0]->kind, EdgeKind::kMerge);
  EXPECT_EQ(parents[0]->parent, 1u);
  EXPECT_NEAR(parents[0]->weight, 0.7, 0.02);
  EXPECT_EQ(parents[1]->parent, 2u);
  ASSERT_TRUE(parents[0]->weight_error);
  EXPECT_LT(*parents[0]->weight_error, 0.01);
}

TEST(FamilyGraph, AMergeThatDropsNumbersNamesItsParents) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2f);
  const Trained second = base.Child(3, 0.2f);
  const Trained merge = base.WithDropped(first, base, 0.6f, 7).WithDropped(second, base, 0.5f, 8);
  const FamilyGraph graph = GraphAmong({base, first, second, base.Child(4, 0.2f), merge});
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
  for (unsigned seed = 2; seed < 10; ++seed) models.push_back(base.Child(seed, 0.1f));
  const FamilyGraph graph = GraphAmong(models);
  EXPECT_THAT(ParentsIn(graph, 0), IsEmpty());
  EXPECT_EQ(graph.root_of_family.front(), 0u);
}

TEST(PlaceInFamily, AFineTuneOfAFineTuneNamesParentAndRoot) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2f);
  const auto place = PlaceOf(first.Child(4, 0.2f), {base.Child(3, 0.2f), first, base});
  EXPECT_THAT(place.lineage, ElementsAre(1u, 2u));
}

TEST(PlaceInFamily, ABaseDoesNotComeFromWhatWasMadeFromIt) {
  const Trained base(1);
  const Trained first = base.Child(2, 0.2f);
  for (const auto& known : std::vector<std::vector<Trained>>{
           {first},
           {first, first.Child(3, 0.1f)},
           {first, base.Child(4, 0.1f)},
           {first, first.Child(3, 0.1f), first.Child(5, 0.1f), base.Child(4, 0.05f)},
           {first.Child(3, 0.1f), first.Child(5, 0.1f), first}}) {
    EXPECT_THAT(PlaceOf(base, known).lineage, IsEmpty()) << known.size();
  }
}

TEST(PlaceInFamily, ASiblingIsTheClosestAndNoParent) {
  const Trained base(1);
  const auto place = PlaceOf(base.Child(2, 0.2f), {base.Child(3, 0.2f)});
  EXPECT_THAT(place.lineage, IsEmpty());
  EXPECT_EQ(place.closest, 0u);
  EXPECT_TRUE(place.parent_missing);
}

TEST(PlaceInFamily, OneRelativeAloneIsTheClosest) {
  const Trained base(1);
  const auto place = PlaceOf(base.Child(2, 0.2f), {base});
  EXPECT_THAT(place.lineage, IsEmpty());
  EXPECT_EQ(place.closest, 0u);
  EXPECT_FALSE(place.parent_missing);
}

}  // namespace
}  // namespace tensorguard::internal
