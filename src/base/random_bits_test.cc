#include "base/random_bits.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

// The first outputs of SplitMix64 from state 1234567, as its authors' program prints them.
TEST(RandomBits, IsSplitMix64) {
  EXPECT_EQ(RandomBits(1234567, 0), 6457827717110365317u);
  EXPECT_EQ(RandomBits(1234567, 1), 3203168211198807973u);
  EXPECT_EQ(RandomBits(1234567, 2), 9817491932198370423u);
}

}  // namespace
}  // namespace tensorguard::internal
