#include "comparison/direction/direction_signs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

// Trained on: every matrix by another share of itself.
ToyModel Trained(ToyModel model, double share, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> factor(0.3, 1.7);
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* matrix : layer.Matrices()) {
      *matrix +=
          share * factor(generator) * RandomMatrix(matrix->n_rows, matrix->n_cols, generator);
    }
  }
  model.name += "--trained" + std::to_string(seed);
  return model;
}

ToyModel Decayed(ToyModel model, double factor) {
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* matrix : layer.Matrices()) *matrix *= factor;
  }
  return model;
}

ToyModel WithLora(ToyModel model, size_t rank, double share, uint32_t seed) {
  std::mt19937 generator(seed);
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* matrix : layer.Matrices()) {
      *matrix += share / std::sqrt(static_cast<double>(rank)) *
                 RandomMatrix(matrix->n_rows, rank, generator) *
                 RandomMatrix(rank, matrix->n_cols, generator);
    }
  }
  model.name += "--lora";
  return model;
}

// Numbers to the nearest of even steps, and the measures of that.
Fingerprint Rounded(ToyModel model, double step) {
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* matrix : layer.Matrices()) *matrix = step * arma::round(*matrix / step);
  }
  model.name += "--rounded";
  Fingerprint fingerprint = FingerprintOf(model);
  for (WeightSummary& weight : fingerprint.weights) {
    if (!weight.role.layer) continue;
    weight.zero_fraction = std::erf(step / 2 / std::sqrt(2.0));
    weight.distinct_per_32 = 11;
  }
  return fingerprint;
}

// The smallest numbers put to zero.
Fingerprint Pruned(ToyModel model, double below) {
  double zeros = 0;
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* matrix : layer.Matrices()) {
      zeros = static_cast<double>(arma::accu(arma::abs(*matrix) < below)) /
              static_cast<double>(matrix->n_elem);
      matrix->elem(arma::find(arma::abs(*matrix) < below)).zeros();
    }
  }
  model.name += "--pruned";
  Fingerprint fingerprint = FingerprintOf(model);
  for (WeightSummary& weight : fingerprint.weights) {
    if (weight.role.layer) weight.zero_fraction = zeros;
  }
  return fingerprint;
}

Direction Between(const Fingerprint& a, const Fingerprint& b) {
  const auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison);
  return comparison ? comparison->direction : Direction();
}

bool Has(const Direction& direction, DirectionSignKind kind) {
  return std::any_of(direction.signs.begin(), direction.signs.end(),
                     [&](const DirectionSign& sign) { return sign.kind == kind; });
}

TEST(DirectionSigns, TrainingLeansToTheChildAndTellsNothing) {
  const ToyModel base = RandomToyModel(1);
  const Direction direction = Between(FingerprintOf(base), FingerprintOf(Trained(base, 0.2, 2)));
  EXPECT_EQ(direction.leaning, Side::kB);
  EXPECT_FALSE(direction.later);
}

TEST(DirectionSigns, SiblingsHaveNoDirection) {
  const ToyModel base = RandomToyModel(1);
  const Direction direction =
      Between(FingerprintOf(Trained(base, 0.2, 2)), FingerprintOf(Trained(base, 0.2, 3)));
  EXPECT_FALSE(direction.later);
  EXPECT_LT(direction.certainty, 0.75);
}

TEST(DirectionSigns, EvennessLeansToTheChildThatDecayed) {
  const ToyModel base = RandomToyModel(1);
  const Direction direction =
      Between(FingerprintOf(base), FingerprintOf(Trained(Decayed(base, 0.9), 0.25, 2)));
  const auto even = std::find_if(
      direction.signs.begin(), direction.signs.end(),
      [](const DirectionSign& sign) { return sign.kind == DirectionSignKind::kEvenChange; });
  ASSERT_NE(even, direction.signs.end());
  EXPECT_EQ(even->later, Side::kB);
  EXPECT_FALSE(direction.later);
}

TEST(DirectionSigns, ARotatedCopyHasNone) {
  const ToyModel base = RandomToyModel(1);
  const Direction direction = Between(FingerprintOf(base), FingerprintOf(Rotated(base, 5)));
  EXPECT_FALSE(direction.later);
  EXPECT_TRUE(direction.signs.empty());
}

TEST(DirectionSigns, StrangersHaveNone) {
  const Direction direction =
      Between(FingerprintOf(RandomToyModel(1)), Rounded(RandomToyModel(2), 0.3));
  EXPECT_TRUE(direction.signs.empty());
}

TEST(DirectionSigns, TheRoundedModelIsTheLaterOne) {
  const ToyModel base = RandomToyModel(1);
  const Direction direction = Between(FingerprintOf(base), Rounded(base, 0.3));
  EXPECT_EQ(direction.later, Side::kB);
  EXPECT_TRUE(Has(direction, DirectionSignKind::kOnGrid));
  EXPECT_EQ(Between(Rounded(base, 0.3), FingerprintOf(base)).later, Side::kA);
}

TEST(DirectionSigns, ARoundedModelDoesNotComeFromASibling) {
  const ToyModel base = RandomToyModel(1);
  EXPECT_FALSE(Between(FingerprintOf(Trained(base, 0.2, 2)), Rounded(base, 0.3)).later);
}

TEST(DirectionSigns, ThePrunedModelIsTheLaterOne) {
  const ToyModel base = RandomToyModel(1);
  const Direction direction = Between(Pruned(base, 0.4), FingerprintOf(base));
  EXPECT_EQ(direction.later, Side::kA);
  EXPECT_TRUE(Has(direction, DirectionSignKind::kZeros));
}

TEST(DirectionSigns, APrunedModelDoesNotComeFromASibling) {
  const ToyModel base = RandomToyModel(1);
  EXPECT_FALSE(Between(FingerprintOf(Trained(base, 0.3, 2)), Pruned(base, 0.4)).later);
}

TEST(DirectionSigns, AChangeOfLowRankWasAdded) {
  const ToyModel base = RandomToyModel(1);
  const Direction direction =
      Between(FingerprintOf(base), FingerprintOf(WithLora(base, 4, 0.2, 2)));
  EXPECT_EQ(direction.later, Side::kB);
  EXPECT_TRUE(Has(direction, DirectionSignKind::kLowRank));
}

TEST(DirectionSigns, GainsOfOneValueWereFolded) {
  const ToyModel base = RandomToyModel(1);
  Fingerprint original = FingerprintOf(base);
  Fingerprint rotated = FingerprintOf(Rotated(base, 5));
  for (Fingerprint* model : {&original, &rotated}) {
    WeightSummary gain{.tensor = "norm", .is_vector = true, .rows = 64, .columns = 1};
    gain.role = {.role = Role::kNorm, .layer = 0};
    gain.norm = 8;
    gain.quantiles.fill(1);
    if (model == &original) gain.quantiles.back() = 1.4f;
    gain.digest[0] = model == &original ? 1 : 2;
    model->weights.push_back(gain);
  }
  const Direction direction = Between(original, rotated);
  EXPECT_EQ(direction.later, Side::kB);
  EXPECT_TRUE(Has(direction, DirectionSignKind::kGainsFolded));
}

}  // namespace
}  // namespace tensorguard::internal
