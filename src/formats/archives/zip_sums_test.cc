#include "formats/archives/zip_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> WrongOf(const std::string& bytes) {
  auto names = EntriesWithOtherSums(SourceOf(std::string_view(bytes)), 2);
  EXPECT_TRUE(names) << DescribeError(names.error());
  return names ? *names : std::vector<std::string>{"no answer"};
}

TEST(ZipSums, TrueOnesOfStoredAndPackedEntries) {
  const std::string large(3'000'000, 'x');
  EXPECT_THAT(WrongOf(BuildZip({{"a", "123"}, {"b", ""}, {"c", large}})), IsEmpty());
  BuiltZipEntry packed = {"p", Deflate("some text"), 8};
  packed.size_bytes = 9;
  EXPECT_THAT(WrongOf(BuildZip({{"a", "123"}, packed})), IsEmpty());
}

TEST(ZipSums, WrongOnesAreNamed) {
  BuiltZipEntry changed = {"b", "456"};
  changed.crc32 = 0;
  BuiltZipEntry packed = {"p", Deflate("some text"), 8};
  packed.size_bytes = 9;
  packed.crc32 = 17;
  EXPECT_THAT(WrongOf(BuildZip({packed, {"a", "123"}, changed})), ElementsAre("b", "p"));
}

// The last byte of an entry of several pieces.
TEST(ZipSums, EveryByteCounts) {
  const std::string large(3'000'000, 'x');
  std::string bytes = BuildZip({{"c", large}});
  bytes[bytes.rfind("xPK")] = 'y';
  EXPECT_THAT(WrongOf(bytes), ElementsAre("c"));
}

TEST(ZipSums, BrokenPackedDataIsAnError) {
  BuiltZipEntry packed = {"p", "\xFF\xFF\xFF", 8};
  packed.size_bytes = 9;
  const std::string bytes = BuildZip({packed});
  const auto names = EntriesWithOtherSums(SourceOf(std::string_view(bytes)), 1);
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().tensor, "p");
}

}  // namespace
}  // namespace tensorguard::internal
