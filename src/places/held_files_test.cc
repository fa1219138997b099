#include "places/held_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
namespace tensorguard::internal {
namespace {

TEST(HeldFiles, ReadAcrossTheEdgesOfTheirPieces) {
  const std::vector<std::byte> two = {std::byte{2}, std::byte{3}};
  const std::vector<std::byte> three = {std::byte{4}, std::byte{5}, std::byte{6}};
  const HeldFiles files({{"a", {.start = std::string("\0\1", 2), .pieces = {two, {}, three}}}});
  const auto file = files.Open("(in memory)/a");
  ASSERT_TRUE(file);
  ASSERT_EQ((*file)->size_bytes(), 7U);
  for (size_t begin = 0; begin <= 7; ++begin) {
    for (size_t count = 0; begin + count <= 7; ++count) {
      std::vector<std::byte> out(count);
      ASSERT_TRUE((*file)->ReadAt(begin, out));
      for (size_t i = 0; i < count; ++i) EXPECT_EQ(out[i], std::byte(begin + i));
    }
  }
  std::vector<std::byte> out(3);
  const auto beyond = (*file)->ReadAt(5, out);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().problem, "the file ends before what is read of it");
  EXPECT_FALSE((*file)->ReadAt(~uint64_t{0}, out));
}

TEST(HeldFiles, NameTheTensorWhoseDataIsOfAnotherSize) {
  const std::vector<std::byte> bytes(7);
  const auto file = HeldSafetensors(
      {{.tensor = {.name = "w", .dtype = DType::kF32, .shape = {2}}, .data = bytes}});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().tensor, "w");
  EXPECT_EQ(file.error().found, "7 bytes");
  EXPECT_EQ(file.error().expected, "8 bytes");
}

TEST(HeldFiles, RefuseANameTwice) {
  const std::vector<std::byte> bytes(4);
  const TensorInMemory tensor = {.tensor = {.name = "w", .shape = {1}}, .data = bytes};
  EXPECT_FALSE(HeldSafetensors({tensor, tensor}));
}

TEST(HeldFiles, HoldNothingElse) {
  const HeldFiles files(std::map<std::string, HeldFile>{{"a", HeldFile()}});
  EXPECT_TRUE(*files.Exists("(in memory)/a"));
  EXPECT_FALSE(*files.Exists("(in memory)/b"));
  EXPECT_FALSE(*files.Exists("a"));
  EXPECT_EQ(files.Open("elsewhere/a").error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(*files.FilesIn("(in memory)"), testing::ElementsAre("a"));
}

}  // namespace
}  // namespace tensorguard::internal
