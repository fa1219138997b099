#include "network/attention/fourier_mixing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_layers.h"

namespace tensorguard::internal {
namespace {

void ExpectNear(const FloatMatrix& found, const FloatMatrix& expected) {
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.columns(), expected.columns());
  for (size_t i = 0; i < found.values().size(); ++i) {
    EXPECT_NEAR(found.values()[i], expected.values()[i], 1e-5) << i;
  }
}

// Sums and differences along both sides.
TEST(FourierMixing, OfTwoByTwo) {
  ExpectNear(MixByFourier(MatrixOf({{1, 2}, {3, 4}})), MatrixOf({{10, -2}, {-4, 0}}));
}

// One number anywhere gives a wave of its size; at the beginning, a constant.
TEST(FourierMixing, OfOneNumber) {
  ExpectNear(MixByFourier(MatrixOf({{2, 0, 0}, {0, 0, 0}})), MatrixOf({{2, 2, 2}, {2, 2, 2}}));
  const auto wave = MixByFourier(MatrixOf({{0, 2, 0}, {0, 0, 0}}));
  const auto third = static_cast<float>(2 * std::cos(2 * std::acos(-1.0) / 3));
  ExpectNear(wave, MatrixOf({{2, third, third}, {2, third, third}}));
}

}  // namespace
}  // namespace tensorguard::internal
