#include "comparison/alignment/sketch_comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "comparison/alignment/sketch_products.h"
#include "comparison/weight_agreement.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

SketchComparison Sketches(const Fingerprint& a, const Fingerprint& b) {
  const auto anchors = FindCommonAnchors(a, b);
  EXPECT_TRUE(anchors);
  return CompareSketches(a, b, LayersByIndex(a, b), *anchors);
}

TEST(CompareSketches, EstimatesCosineAndChange) {
  const auto base = RandomToyModel(1, 6);
  const auto sketches = Sketches(FingerprintOf(base), FingerprintOf(Noised(base, 0.5, 2)));
  EXPECT_EQ(sketches.pairs.size(), 36u);
  EXPECT_EQ(sketches.parts, 36u);
  EXPECT_NEAR(sketches.cosine, 1 / std::sqrt(1.25), 0.01);
  for (const SketchPair& pair : sketches.pairs) {
    EXPECT_NEAR(pair.relative_change, 0.5 / std::pow(1.25, 0.25), 0.06);
    EXPECT_FALSE(pair.equal);
  }
  EXPECT_LT(sketches.p_value, 1e-20);
  EXPECT_NEAR(sketches.embedding->cosine, 1, 1e-6);
  EXPECT_EQ(sketches.embedding->relative_change, 0);
}

TEST(CompareSketches, FindsNothingBetweenSeparateModels) {
  const auto sketches =
      Sketches(FingerprintOf(RandomToyModel(1, 8)), FingerprintOf(RandomToyModel(2, 8)));
  EXPECT_NEAR(sketches.cosine, 0, 0.03);
  EXPECT_GT(sketches.p_value, 1e-3);
  EXPECT_GT(sketches.null_pairs, 300u);
  EXPECT_NEAR(sketches.null_mean, 0, 0.01);
  EXPECT_LT(std::abs(sketches.embedding->cosine), 0.1);
}

TEST(IndependentDeviation, IsWhatRandomMatricesShow) {
  for (const auto& [rows, columns] : {std::pair(8, 200), std::pair(64, 64), std::pair(24, 48)}) {
    std::mt19937 generator(3);
    double squares = 0;
    constexpr int kRounds = 300;
    for (int round = 0; round < kRounds; ++round) {
      const auto a = Summarise(RandomMatrix(rows, columns, generator), Role::kQuery, 0).sketch;
      const auto b = Summarise(RandomMatrix(rows, columns, generator), Role::kQuery, 0).sketch;
      double aa = 0;
      double bb = 0;
      double ab = 0;
      for (size_t i = 0; i < a.values().size(); ++i) {
        aa += a.values()[i] * a.values()[i];
        bb += b.values()[i] * b.values()[i];
        ab += a.values()[i] * b.values()[i];
      }
      squares += ab * ab / (aa * bb);
    }
    const double expected = IndependentDeviation(rows, columns);
    EXPECT_NEAR(std::sqrt(squares / kRounds), expected, 0.15 * expected) << rows;
  }
}

// With so few numbers, chance is large: routers of small models.
TEST(CompareSketches, KnowsThatSmallMatricesAgreeByChance) {
  auto a = FingerprintOf(RandomToyModel(1, 1));
  auto b = a;
  std::mt19937 generator(3);
  a.weights.clear();
  b.weights.clear();
  const arma::mat router = RandomMatrix(2, 16, generator);
  a.weights.push_back(Summarise(router, Role::kRouter, 0));
  b.weights.push_back(Summarise(router + 3 * RandomMatrix(2, 16, generator), Role::kRouter, 0));
  EXPECT_GT(Sketches(a, b).p_value, 1e-3);
}

TEST(CompareSketches, DoesNotCountWhatAnyLayersHaveInCommon) {
  // Every matrix of both models has one large part in common, as a fixed initialisation makes it.
  ToyModel first = RandomToyModel(1, 8);
  ToyModel second = RandomToyModel(2, 8);
  const ToyModel common = RandomToyModel(3, 1);
  for (ToyModel* model : {&first, &second}) {
    for (ToyLayer& layer : model->layers) {
      ToyLayer shared = common.layers[0];
      for (size_t i = 0; i < 6; ++i) *layer.Matrices()[i] += *shared.Matrices()[i];
    }
  }
  const auto sketches = Sketches(FingerprintOf(first), FingerprintOf(second));
  EXPECT_NEAR(sketches.cosine, 0.5, 0.05);
  EXPECT_NEAR(sketches.null_mean, 0.5, 0.05);
  EXPECT_GT(sketches.p_value, 1e-4);
}

TEST(CompareSketches, LeavesOutOtherShapesAndEmptyMatrices) {
  ToyModel first = RandomToyModel(1, 2);
  ToyModel second = RandomToyModel(2, 2);
  first.layers[0].up.shed_rows(0, 9);
  first.layers[0].down.shed_cols(0, 9);
  first.layers[1].query.zeros();
  second.layers[1].query.zeros();
  const auto sketches = Sketches(FingerprintOf(first), FingerprintOf(second));
  EXPECT_EQ(sketches.pairs.size(), 10u);
  EXPECT_EQ(sketches.parts, 9u);
}

TEST(CompareSketches, HasNoPartsBetweenModelsOfDifferentWidth) {
  const auto sketches =
      Sketches(FingerprintOf(RandomToyModel(1, 2, 64)), FingerprintOf(RandomToyModel(1, 2, 80)));
  EXPECT_EQ(sketches.parts, 0u);
  EXPECT_EQ(sketches.p_value, 1);
}

TEST(CompareSketches, TakesTheExpertsOfALayerTogether) {
  auto dense = FingerprintOf(RandomToyModel(1, 2));
  auto mixture = dense;
  mixture.weights.clear();
  for (const WeightSummary& weight : dense.weights) {
    const bool feed_forward = weight.role.role == Role::kUp || weight.role.role == Role::kDown;
    for (uint32_t expert = 0; expert < (feed_forward ? 3 : 1); ++expert) {
      mixture.weights.push_back(weight);
      if (feed_forward) mixture.weights.back().role.expert = expert;
    }
  }
  const auto sketches = Sketches(dense, mixture);
  EXPECT_EQ(sketches.pairs.size(), 8u + 3 * 4u);
  EXPECT_EQ(sketches.parts, 12u);
  EXPECT_NEAR(sketches.cosine, 1, 1e-6);
  EXPECT_EQ(Sketches(mixture, dense).parts, 12u);
}

// PyTorch's files hold the tied head again, safetensors do not.
TEST(AgreementOf, PassesOverAHeadThatIsTheEmbeddingAgain) {
  const auto base = RandomToyModel(1);
  auto once = FingerprintOf(base);
  once.weights.push_back({.tensor = "embedding",
                          .role = {.role = Role::kEmbedding},
                          .rows = 48,
                          .columns = 64,
                          .digest = {7}});
  auto twice = once;
  twice.weights.push_back(once.weights.back());
  twice.weights.back().role.role = Role::kOutputHead;
  EXPECT_EQ(AgreementOf(once, twice, Sketches(once, twice)), WeightAgreement::kEqual);
  EXPECT_EQ(AgreementOf(twice, once, Sketches(twice, once)), WeightAgreement::kEqual);
  EXPECT_EQ(AgreementOf(twice, twice, Sketches(twice, twice)), WeightAgreement::kEqual);
  auto other = twice;
  other.weights.back().digest = {8};
  EXPECT_EQ(AgreementOf(once, other, Sketches(once, other)), WeightAgreement::kDifferent);
  EXPECT_EQ(AgreementOf(other, twice, Sketches(other, twice)), WeightAgreement::kDifferent);
}

TEST(AgreementOf, DoesNotTakeUnevenTrainingForRounding) {
  const auto base = RandomToyModel(1);
  const auto a = FingerprintOf(base);
  ToyModel trained = base;
  for (size_t i = 0; i < trained.layers.size(); ++i) {
    trained.layers[i] = Noised(base, i % 2 == 0 ? 0.002 : 0.0005, 2).layers[i];
  }
  auto b = FingerprintOf(trained);
  for (WeightSummary& weight : b.weights) weight.dtype = "BF16";
  EXPECT_EQ(AgreementOf(a, b, Sketches(a, b)), WeightAgreement::kDifferent);
}

}  // namespace
}  // namespace tensorguard::internal
