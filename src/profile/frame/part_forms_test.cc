#include "profile/frame/part_forms.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "base/random_bits.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kDirections = 6;
constexpr size_t kUnits = 20;
constexpr size_t kDead = 5;

Projection RandomProjection(uint64_t seed) {
  Projection projection(kDirections, kUnits);
  for (size_t i = 0; i < projection.values().size(); ++i) {
    projection.values()[i] =
        static_cast<float>(static_cast<int64_t>(RandomBits(seed, i)) >> 40) / 8388608.0f;
  }
  return projection;
}

void ScaleFirst(Projection& projection, float factor) {
  for (size_t row = 0; row < kDirections; ++row) {
    for (size_t unit = 0; unit < kDead; ++unit) projection.Row(row)[unit] *= factor;
  }
}

void ExpectNear(const PartForms& a, const PartForms& b, double tolerance) {
  EXPECT_TRUE(arma::approx_equal(a.first, b.first, "absdiff", tolerance));
  EXPECT_TRUE(arma::approx_equal(a.second, b.second, "absdiff", tolerance));
  EXPECT_TRUE(arma::approx_equal(a.reads, b.reads, "absdiff", tolerance));
  EXPECT_TRUE(arma::approx_equal(a.writes, b.writes, "absdiff", tolerance));
}

TEST(FeedForwardForms, UnitsThatWriteNothingWeighNothing) {
  const Projection gate = RandomProjection(1);
  const Projection up = RandomProjection(2);
  Projection down = RandomProjection(3);
  ScaleFirst(down, 0);
  Projection loud_gate = gate;
  Projection loud_up = up;
  ScaleFirst(loud_gate, -70);
  ScaleFirst(loud_up, 90);
  ExpectNear(FeedForwardForms(gate, up, down), FeedForwardForms(loud_gate, loud_up, down), 1e-12);
}

TEST(FeedForwardForms, LoudUnitsWeighNoMoreThanTwiceTheMiddleOne) {
  const auto shares = SaturatedShares({1, 1, 1, 1, 1e6});
  EXPECT_NEAR(shares[4] / shares[0], 2, 1e-5);
  const auto silent = SaturatedShares({0, 0, 0});
  EXPECT_EQ(silent, std::vector<double>(3));
}

TEST(FeedForwardForms, ScaleMovesBetweenUpAndDown) {
  const Projection gate = RandomProjection(1);
  Projection up = RandomProjection(2);
  Projection down = RandomProjection(3);
  const PartForms before = FeedForwardForms(gate, up, down);
  ScaleFirst(up, -4);
  ScaleFirst(down, -0.25f);
  ExpectNear(before, FeedForwardForms(gate, up, down), 1e-6);
}

TEST(AttentionForms, HeadsThatWriteNothingWeighNothing) {
  const AttentionShape shape = {.heads = 4, .key_heads = 2, .head_size = 5, .value_size = 5};
  const Projection query = RandomProjection(4);
  Projection key(kDirections, 10);
  Projection value(kDirections, 10);
  for (size_t row = 0; row < kDirections; ++row) {
    for (size_t i = 0; i < 10; ++i) {
      key.Row(row)[i] = RandomProjection(5).Row(row)[i];
      value.Row(row)[i] = RandomProjection(6).Row(row)[i];
    }
  }
  Projection output = RandomProjection(7);
  ScaleFirst(output, 0);
  Projection loud_query = query;
  ScaleFirst(loud_query, 1000);
  for (size_t row = 0; row < kDirections; ++row) {
    for (size_t i = 0; i < kDead; ++i) loud_query.Row(row)[i] += static_cast<float>(row);
  }
  ExpectNear(AttentionForms(shape, query, key, value, output),
             AttentionForms(shape, loud_query, key, value, output), 1e-12);
}

// A head and one more that asks the same and takes back what it writes.
TEST(AttentionForms, SeeNothingOfHeadsThatCancel) {
  const AttentionShape one = {.heads = 2, .key_heads = 2, .head_size = 10, .value_size = 10};
  const AttentionShape more = {.heads = 4, .key_heads = 4, .head_size = 10, .value_size = 10};
  const auto with_pair = [](const Projection& real, const Projection& pair, float second) {
    Projection all(kDirections, 40);
    for (size_t row = 0; row < kDirections; ++row) {
      for (size_t i = 0; i < 20; ++i) all.Row(row)[i] = real.Row(row)[i];
      for (size_t i = 0; i < 10; ++i) {
        all.Row(row)[20 + i] = 30 * pair.Row(row)[i];
        all.Row(row)[30 + i] = second * 30 * pair.Row(row)[i];
      }
    }
    return all;
  };
  const auto real = [](uint64_t kind) { return RandomProjection(20 + kind); };
  const auto dead = [](uint64_t kind) { return RandomProjection(30 + kind); };
  ExpectNear(AttentionForms(one, real(0), real(1), real(2), real(3)),
             AttentionForms(more, with_pair(real(0), dead(0), 1), with_pair(real(1), dead(1), 1),
                            with_pair(real(2), dead(2), 1), with_pair(real(3), dead(3), -1)),
             1e-5);
}

}  // namespace
}  // namespace tensorguard::internal
