#include "base/readable_bytes.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

TEST(ReadableBytes, PicksTheUnitThatKeepsNumbersShort) {
  EXPECT_EQ(ReadableBytes(0), "0 B");
  EXPECT_EQ(ReadableBytes(999), "999 B");
  EXPECT_EQ(ReadableBytes(1000), "1.0 kB");
  EXPECT_EQ(ReadableBytes(999'949), "999.9 kB");
  EXPECT_EQ(ReadableBytes(999'950), "1.0 MB");
  EXPECT_EQ(ReadableBytes(18446744073709551615u), "18.4 EB");
}

}  // namespace
}  // namespace tensorguard::internal
