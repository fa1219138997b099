// What of one model is found in another, part by part.
#include "comparison/part_origins.h"

#include <gtest/gtest.h>

#include <cmath>

#include "comparison/compare_fingerprints.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

PairOrigins OriginsOf(const Fingerprint& a, const Fingerprint& b) {
  auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison) << DescribeError(comparison.error());
  return comparison->origins;
}

double SumOfShares(const OriginCounts& counts) {
  double sum = 0;
  for (const Origin origin : kOrigins) sum += counts.Share(origin);
  return sum;
}

TEST(FindOrigins, CountsEveryParameterOnce) {
  const auto base = RandomToyModel(1, 6);
  ToyModel mixed = Noised(base, 0.2, 3);
  mixed.layers[2] = base.layers[2];
  mixed.layers[4] = RandomToyModel(2, 6).layers[4];
  const auto a = FingerprintOf(base);
  const auto origins = OriginsOf(a, FingerprintOf(mixed));
  double parameters = 0;
  for (const WeightSummary& weight : a.weights) {
    parameters += static_cast<double>(weight.rows) * static_cast<double>(weight.columns);
  }
  for (const ModelOrigins* model : {&origins.a, &origins.b}) {
    EXPECT_NEAR(model->all.Total(), parameters, 1e-6);
    EXPECT_NEAR(SumOfShares(model->all), 1, 1e-12);
    EXPECT_NEAR(model->layers.Share(Origin::kSame), 1.0 / 6, 1e-9);
    EXPECT_NEAR(model->layers.Share(Origin::kChanged), 4.0 / 6, 1e-9);
    EXPECT_NEAR(model->layers.Share(Origin::kNothing), 1.0 / 6, 1e-9);
  }
}

TEST(FindOrigins, FindsNothingBetweenStrangers) {
  const auto origins =
      OriginsOf(FingerprintOf(RandomToyModel(1, 8)), FingerprintOf(RandomToyModel(2, 8)));
  EXPECT_EQ(origins.a.layers.TracedShare(), 0);
  EXPECT_EQ(origins.b.layers.TracedShare(), 0);
  EXPECT_EQ(origins.b.layers.Share(Origin::kNothing), 1);
}

TEST(FindOrigins, FindsLayersInAnyOrderAndAnyNumberOfTimes) {
  const auto base = RandomToyModel(1, 6);
  ToyModel shuffled = base;
  const size_t order[] = {5, 0, 0, 3, 1, 4, 2, 2};
  shuffled.layers.clear();
  for (const size_t layer : order) shuffled.layers.push_back(base.layers[layer]);
  const auto same = OriginsOf(FingerprintOf(base), FingerprintOf(shuffled));
  EXPECT_EQ(same.a.layers.Share(Origin::kSame), 1);
  EXPECT_EQ(same.b.layers.Share(Origin::kSame), 1);
  const auto changed = OriginsOf(FingerprintOf(base), FingerprintOf(Noised(shuffled, 0.3, 4)));
  EXPECT_EQ(changed.a.layers.Share(Origin::kChanged), 1);
  EXPECT_EQ(changed.b.layers.Share(Origin::kChanged), 1);
}

TEST(FindOrigins, TellsTheHalvesOfALayerApart) {
  const auto base = RandomToyModel(1, 6);
  ToyModel other = RandomToyModel(2, 6);
  for (size_t i = 0; i < 6; ++i) {
    other.layers[i].up = base.layers[5 - i].up;
    other.layers[i].down = base.layers[5 - i].down;
  }
  const auto origins = OriginsOf(FingerprintOf(base), FingerprintOf(Noised(other, 0.2, 5)));
  for (const PartOrigin& part : origins.b.parts) {
    const WeightSummary weight = FingerprintOf(other).weights[part.weight];
    if (!weight.role.layer) continue;
    const bool feed_forward = weight.role.role == Role::kUp || weight.role.role == Role::kDown;
    EXPECT_EQ(part.origin, feed_forward ? Origin::kChanged : Origin::kNothing) << weight.tensor;
  }
}

TEST(FindOrigins, NamesALayerThatWasRewritten) {
  const auto base = RandomToyModel(1, 6);
  const auto origins = OriginsOf(FingerprintOf(base), FingerprintOf(Rotated(base, 7)));
  EXPECT_EQ(origins.b.layers.Share(Origin::kRewritten), 1);
}

TEST(FindOrigins, DoesNotTakeConstantsForCopies) {
  ToyModel first = RandomToyModel(1, 4);
  ToyModel second = RandomToyModel(2, 4);
  for (ToyModel* model : {&first, &second}) {
    for (ToyLayer& layer : model->layers) layer.query.fill(0.01);
  }
  const auto origins = OriginsOf(FingerprintOf(first), FingerprintOf(second));
  EXPECT_EQ(origins.b.layers.TracedShare(), 0);
}

TEST(FindOrigins, CannotCompareWhatHasNoCounterpart) {
  auto a = FingerprintOf(RandomToyModel(1, 4));
  auto b = FingerprintOf(RandomToyModel(2, 4, 80));
  a.frame = {};
  b.frame = {};
  const auto origins = OriginsOf(a, b);
  EXPECT_EQ(origins.b.layers.Share(Origin::kNotComparable), 1);
}

TEST(OriginName, IsThatOfTheOutput) {
  EXPECT_EQ(OriginName(Origin::kSame), "same");
  EXPECT_EQ(OriginName(Origin::kNotComparable), "not_comparable");
  EXPECT_EQ(OriginName(Origin::kNotRead), "not_read");
}

}  // namespace
}  // namespace tensorguard::internal
