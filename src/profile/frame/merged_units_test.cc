#include "profile/frame/merged_units.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "base/random_bits.h"
#include "profile/frame/part_forms.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kDirections = 16;
constexpr size_t kUnits = 40;

FloatMatrix RandomProjection(uint64_t seed, size_t units = kUnits) {
  FloatMatrix projection(kDirections, units);
  for (size_t i = 0; i < projection.values().size(); ++i) {
    projection.values()[i] =
        static_cast<float>(static_cast<int64_t>(RandomBits(seed, i)) >> 40) / 8388608.0f;
  }
  return projection;
}

FloatMatrix Beside(const FloatMatrix& left, const FloatMatrix& right, float factor = 1) {
  FloatMatrix both(left.rows(), left.columns() + right.columns());
  for (size_t row = 0; row < left.rows(); ++row) {
    for (size_t i = 0; i < left.columns(); ++i) both.Row(row)[i] = left.Row(row)[i];
    for (size_t i = 0; i < right.columns(); ++i) {
      both.Row(row)[left.columns() + i] = factor * right.Row(row)[i];
    }
  }
  return both;
}

void ExpectNear(const PartForms& a, const PartForms& b) {
  EXPECT_TRUE(arma::approx_equal(a.first, b.first, "absdiff", 1e-5));
  EXPECT_TRUE(arma::approx_equal(a.second, b.second, "absdiff", 1e-5));
  EXPECT_TRUE(arma::approx_equal(a.reads, b.reads, "absdiff", 1e-5));
  EXPECT_TRUE(arma::approx_equal(a.writes, b.writes, "absdiff", 1e-5));
  EXPECT_TRUE(arma::approx_equal(a.units.ups, b.units.ups, "absdiff", 1e-5));
  EXPECT_TRUE(arma::approx_equal(a.units.downs, b.units.downs, "absdiff", 1e-5));
}

TEST(MergeUnits, LeavesUnitsThatDiffer) {
  const FloatMatrix gate = RandomProjection(1);
  EXPECT_FALSE(MergeUnits(&gate, RandomProjection(2), RandomProjection(3)));
  // The same gate alone is another unit: it multiplies with something else.
  const FloatMatrix twice = Beside(gate, gate);
  EXPECT_FALSE(
      MergeUnits(&twice, RandomProjection(4, 2 * kUnits), RandomProjection(5, 2 * kUnits)));
}

TEST(MergeUnits, AddsWhatUnitsInPiecesWrite) {
  const FloatMatrix gate = RandomProjection(1);
  const FloatMatrix up = RandomProjection(2);
  const FloatMatrix down = RandomProjection(3);
  const FloatMatrix gates = Beside(gate, gate);
  const auto merged = MergeUnits(&gates, Beside(up, up, -4), Beside(down, down, 0.5f));
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->up.columns(), kUnits);
  for (size_t i = 0; i < down.values().size(); ++i) {
    EXPECT_NEAR(merged->down.values()[i], -down.values()[i], 1e-5);
  }
}

TEST(MergeUnits, WithoutAGateScaleAndSignCount) {
  const FloatMatrix up = RandomProjection(2);
  const FloatMatrix down = RandomProjection(3);
  EXPECT_TRUE(MergeUnits(nullptr, Beside(up, up), Beside(down, down)));
  EXPECT_FALSE(MergeUnits(nullptr, Beside(up, up, -1), Beside(down, down)));
  EXPECT_FALSE(MergeUnits(nullptr, Beside(up, up, 2), Beside(down, down)));
}

TEST(MergeUnits, SaysNothingAlongFewDirections) {
  FloatMatrix narrow(2, 30);
  for (float& value : narrow.values()) value = 1;
  EXPECT_FALSE(MergeUnits(nullptr, narrow, narrow));
}

// As many units as there are, thirty times as loud, in pairs that cancel.
TEST(FeedForwardForms, SeeNothingOfUnitsThatCancel) {
  const FloatMatrix gate = RandomProjection(1);
  const FloatMatrix up = RandomProjection(2);
  const FloatMatrix down = RandomProjection(3);
  const FloatMatrix loud_gate = RandomProjection(4);
  const FloatMatrix loud_up = RandomProjection(5);
  const FloatMatrix loud_down = Beside(down, RandomProjection(6), 30);
  ExpectNear(FeedForwardForms(gate, up, down),
             FeedForwardForms(Beside(Beside(gate, loud_gate), loud_gate),
                              Beside(Beside(up, loud_up), loud_up),
                              Beside(loud_down, RandomProjection(6), -30)));
}

}  // namespace
}  // namespace tensorguard::internal
