#include "fingerprint/kernels/row_dots.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_fingerprints.h"

namespace tensorguard::internal {
namespace {

TEST(RowDots, AgreesWithPlainLoops) {
  for (const size_t length : {1u, 7u, 2048u, 2049u, 5003u}) {
    for (const size_t rows : {1u, 3u, 4u, 9u}) {
      const FloatMatrix a = NumbersOf(rows, length, 1);
      const FloatMatrix b = NumbersOf(6, length, 2);
      const std::vector<double> dots = RowDots(a, b);
      ASSERT_EQ(dots.size(), rows * 6);
      for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < 6; ++j) {
          double expected = 0;
          for (size_t k = 0; k < length; ++k) expected += double{a.Row(i)[k]} * b.Row(j)[k];
          EXPECT_NEAR(dots[i * 6 + j], expected, 1e-11) << length << " " << i << " " << j;
        }
      }
    }
  }
}

TEST(NearerThan, SeesTheWholeVector) {
  std::vector<float> a(1001);
  std::vector<float> b(1001);
  EXPECT_TRUE(NearerThan(a, b, 0.1));
  b[1000] = 1;
  EXPECT_TRUE(NearerThan(a, b, 1.01));
  EXPECT_FALSE(NearerThan(a, b, 0.99));
  b[2] = 1;
  EXPECT_FALSE(NearerThan(a, b, 1.01));
}

}  // namespace
}  // namespace tensorguard::internal
