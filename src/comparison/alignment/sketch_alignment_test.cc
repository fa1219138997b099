#include "comparison/alignment/sketch_alignment.h"

#include <gtest/gtest.h>

#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

SketchAlignment Align(const Fingerprint& a, const Fingerprint& b) {
  return AlignBySketches(a, b, CosinesOfLayers(a, b));
}

TEST(AlignBySketches, FindsLayersAtOtherPlaces) {
  const auto base = RandomToyModel(1, 6);
  ToyModel moved = base;
  std::swap(moved.layers[1], moved.layers[4]);
  const auto a = FingerprintOf(base);
  const auto b = FingerprintOf(Noised(moved, 0.3, 2));
  const auto alignment = Align(a, b);
  EXPECT_EQ(alignment.a_to_b.size(), 12u);
  EXPECT_EQ(alignment.a_to_b.at({"", 1, Half::kMixer}).place.layer, 4u);
  EXPECT_EQ(alignment.b_to_a.at({"", 4, Half::kFeedForward}).place.layer, 1u);
  const LayerMap layers = LayersOf(alignment, a, b);
  EXPECT_EQ(layers.at(1), 4u);
  EXPECT_EQ(layers.at(4), 1u);
  EXPECT_EQ(layers.at(0), 0u);
}

TEST(AlignBySketches, FindsNothingBetweenStrangers) {
  for (const size_t layers : {1, 2, 3, 8, 16}) {
    const auto alignment =
        Align(FingerprintOf(RandomToyModel(1, layers)), FingerprintOf(RandomToyModel(2, layers)));
    EXPECT_TRUE(alignment.a_to_b.empty()) << layers;
    EXPECT_TRUE(alignment.b_to_a.empty()) << layers;
  }
}

// Whatever all layers of both have in common makes none of them the other's.
TEST(AlignBySketches, FindsNothingInACommonStructure) {
  for (const size_t layers : {2, 4, 8}) {
    ToyModel first = RandomToyModel(1, layers);
    ToyModel second = RandomToyModel(2, layers);
    const ToyModel common = RandomToyModel(3, 1);
    for (ToyModel* model : {&first, &second}) {
      for (ToyLayer& layer : model->layers) {
        ToyLayer shared = common.layers[0];
        for (size_t i = 0; i < 6; ++i) *layer.Matrices()[i] += *shared.Matrices()[i];
      }
    }
    EXPECT_TRUE(Align(FingerprintOf(first), FingerprintOf(second)).a_to_b.empty()) << layers;
  }
}

TEST(AlignBySketches, KnowsAMeanAndASpikeEvenOfOneLayer) {
  ToyModel first = RandomToyModel(1, 1);
  ToyModel second = RandomToyModel(2, 1);
  for (ToyModel* model : {&first, &second}) {
    for (arma::mat* matrix : model->layers[0].Matrices()) *matrix += 2;
    model->layers[0].down.fill(0.01);
    model->layers[0].down(3, 5) = 100;
  }
  EXPECT_TRUE(Align(FingerprintOf(first), FingerprintOf(second)).a_to_b.empty());
}

TEST(AlignBySketches, TakesEqualLayersOfOneIndexForEachOther) {
  auto repeated = RandomToyModel(1, 3);
  repeated.layers.insert(repeated.layers.end(), repeated.layers.begin(), repeated.layers.end());
  const auto model = FingerprintOf(repeated);
  const LayerMap layers = LayersOf(Align(model, model), model, model);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(layers.at(i), i);
}

}  // namespace
}  // namespace tensorguard::internal
