#include "formats/archives/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using namespace std::string_literals;
using testing::StartsWith;

std::string Problem(const std::string& bytes) {
  const auto directory = ReadZipDirectory(SourceOf(std::string_view(bytes)));
  return directory ? "no error" : DescribeError(directory.error());
}

TEST(Zip, EntriesLieWhereTheirDataDo) {
  const std::string bytes = BuildZip({{"b/c", "123"}, {"../a", Deflate("xyz"), 8}, {"", ""}});
  const auto directory = ReadZipDirectory(SourceOf(std::string_view(bytes)));
  ASSERT_TRUE(directory) << DescribeError(directory.error());
  ASSERT_EQ(directory->entries.size(), 3u);
  const ZipEntry* stored = directory->Find("b/c");
  ASSERT_NE(stored, nullptr);
  EXPECT_EQ(bytes.substr(stored->begin_bytes, stored->size_bytes), "123");
  EXPECT_FALSE(stored->deflated);
  ASSERT_NE(directory->Find("../a"), nullptr);
  EXPECT_TRUE(directory->Find("../a")->deflated);
  EXPECT_EQ(directory->Find("c"), nullptr);
}

// With zip64: numbers of an entry in an extra field, and a record and a locator before the end.
TEST(Zip, Numbers64) {
  BuiltZipEntry entry = {"a", "12345"};
  entry.packed_bytes = entry.size_bytes = 0xFFFFFFFF;
  entry.central_extra = LittleEndian<uint16_t>(1) + LittleEndian<uint16_t>(16) +
                        LittleEndian<uint64_t>(5) + LittleEndian<uint64_t>(5);
  const std::string plain = BuildZip({entry});
  EXPECT_EQ(Problem(plain), "no error");
  const uint64_t directory_bytes = 46 + 1 + 20;
  const uint64_t directory_begin = plain.size() - 22 - directory_bytes;
  const std::string record = "PK\x06\x06" + std::string(20, '\0') + LittleEndian<uint64_t>(1) +
                             LittleEndian<uint64_t>(1) + LittleEndian(directory_bytes) +
                             LittleEndian(directory_begin);
  const std::string locator = "PK\x06\x07" + std::string(4, '\0') +
                              LittleEndian(directory_begin + directory_bytes) +
                              LittleEndian<uint32_t>(1);
  const auto built = [&](const std::string& record64) {
    return BuildZip({entry}, {.entries = 0xFFFF,
                              .directory_bytes = 0xFFFFFFFF,
                              .directory_begin = 0xFFFFFFFF,
                              .before_end = record64 + locator});
  };
  const std::string wide = built(record);
  const auto directory = ReadZipDirectory(SourceOf(std::string_view(wide)));
  ASSERT_TRUE(directory) << DescribeError(directory.error());
  EXPECT_EQ(directory->entries[0].size_bytes, 5u);
  std::string lying = record;
  lying.replace(48, 8, LittleEndian(~uint64_t{0}));
  EXPECT_THAT(Problem(built(lying)), StartsWith("zip archive's directory does not lie inside"));
  lying = record;
  lying.replace(32, 8, LittleEndian(uint64_t{1} << 60));
  EXPECT_THAT(Problem(built(lying)), StartsWith("zip archive's directory cannot hold as many"));
  entry.central_extra.resize(12);
  EXPECT_THAT(Problem(BuildZip({entry})), StartsWith("zip entry lacks its zip64 numbers"));
}

TEST(Zip, LiesAreNamed) {
  const BuiltZipEntry a = {"a", "12345"};
  const std::string good = BuildZip({a});
  struct Case {
    std::string bytes;
    std::string problem;
  };
  const std::vector<Case> cases = {
      {"", "zip archive has no directory at its end"},
      {good.substr(0, good.size() - 1), "zip archive has no directory at its end"},
      {BuildZip({a}, {.entries = 2}), "zip archive's directory cannot hold as many"},
      {BuildZip({a}, {.directory_begin = 1 << 20}), "zip archive's directory does not lie inside"},
      {BuildZip({a}, {.directory_begin = 3}), "zip archive's directory does not end where"},
      {BuildZip({a}, {.before_end = "x"}), "zip archive's directory does not end where"},
      {BuildZip({a, {"b", "1"}}, {.entries = 1}), "zip archive's directory goes on behind"},
      {BuildZip({{"a\0b"s, "1"}}), "zip entry's name holds a zero byte"},
      {BuildZip({{"a", "1", 0, 1}}), "tensor \"a\": zip entry is encrypted"},
      {BuildZip({{"a", "1", 14}}), "tensor \"a\": zip entry is packed by a method"},
      {BuildZip({{"a", "1", 0, 0, 1, 2}}), "tensor \"a\": stored zip entry has two lengths"},
      {BuildZip({{"a", "1", 0, 0, 1 << 30, 1 << 30}}),
       "tensor \"a\": zip entry does not lie inside the file"},
      {BuildZip({{"a", "1", 0, 0, {}, {}, 1 << 30}}),
       "tensor \"a\": zip entry does not lie inside the file"},
      {BuildZip({{"a", "1", 0, 0, {}, {}, 1}}),
       "tensor \"a\": zip entry and the archive's directory disagree"},
      {BuildZip({{"a", "1", 0, 0, {}, {}, {}, "b"}}),
       "tensor \"a\": zip entry and the archive's directory disagree"},
      {BuildZip({a, {"a", "1"}}), "tensor \"a\": zip entry is there twice"},
      {BuildZip({a, {"a", "12345", 0, 0, {}, {}, 0}}), "zip entry overlaps another"},
      {BuildZip({{"\xFF", "1"}}), "zip entry's name is not UTF-8"},
  };
  for (const Case& test : cases) EXPECT_THAT(Problem(test.bytes), StartsWith(test.problem));
}

// A comment may end the file, but hold no second end record, which other readers would take.
TEST(Zip, OneEndRecord) {
  const BuiltZipEntry a = {"a", "12345"};
  EXPECT_EQ(Problem(BuildZip({a}, {.comment = "made by hand"})), "no error");
  const std::string second = BuildZip({a}).substr(BuildZip({a}).size() - 22);
  EXPECT_THAT(Problem(BuildZip({a}, {.comment = second + "x"})),
              StartsWith("zip archive has no directory at its end"));
  EXPECT_THAT(Problem(BuildZip({a}, {.comment = second.substr(0, 8)})),
              StartsWith("zip archive has no directory at its end"));
  EXPECT_THAT(Problem(BuildZip({a}, {.comment = second})),
              StartsWith("zip archive's directory does not end where"));
}

// An entry that reaches over the next one, as bombs of overlapping entries have them.
TEST(Zip, EntriesThatShareBytes) {
  const std::string bytes = BuildZip({{"a", "1", 0, 0, 40, 40}, {"b", "1234567890"}});
  EXPECT_THAT(Problem(bytes), StartsWith("zip entry overlaps another"));
}

}  // namespace
}  // namespace tensorguard::internal
