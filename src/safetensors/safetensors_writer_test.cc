#include "safetensors/safetensors_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "safetensors/safetensors.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string Contents(const fs::path& path) { return *ReadSmallFile(path, 1 << 20); }

// Writes `data`, the whole data section, in blocks of `block_bytes`.
Result<void> WriteAll(const fs::path& path, std::vector<TensorToWrite> tensors,
                      const std::map<std::string, std::string>& metadata, std::string_view data,
                      size_t block_bytes) {
  auto writer = SafetensorsWriter::Create(path, std::move(tensors), metadata);
  if (!writer) return std::move(writer).error();
  for (size_t begin = 0; begin < data.size(); begin += block_bytes) {
    auto written = (*writer)->Append(BytesOf(data.substr(begin, block_bytes)));
    if (!written) return written;
  }
  return (*writer)->Finish();
}

const std::vector<TensorToWrite> kTensors = {{"z", DType::kF16, {2, 1}},
                                             {"a", DType::kF32, {}},
                                             {"m \"\n\xC3\xA9", DType::kF4, {2}},
                                             {"empty", DType::kI64, {0, 3}}};

TEST(SafetensorsWriter, TheBytesAreThoseOfTheFormat) {
  const ScratchFolder folder;
  const auto path = folder.path() / "out.safetensors";
  ASSERT_TRUE(WriteAll(path, {{"b", DType::kU8, {3}}, {"a", DType::kBF16, {1, 2}}},
                       {{"format", "pt"}}, "aaaabbb", 100));
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(Contents(path), BuildRawSafetensors(header + padding, "aaaabbb"));
}

TEST(SafetensorsWriter, WhatIsWrittenIsRead) {
  const ScratchFolder folder;
  const auto path = folder.path() / "out.safetensors";
  ASSERT_TRUE(WriteAll(path, kTensors, {{"by", "a \"test\"\n"}, {"", ""}}, "aaaamzzzz", 2));
  const auto table = ReadSafetensorsTable(**File::Open(path));
  ASSERT_TRUE(table) << DescribeError(table.error());
  ASSERT_EQ(table->tensors.size(), 4u);
  EXPECT_THAT(table->metadata,
              testing::ElementsAre(testing::Pair("", ""), testing::Pair("by", "a \"test\"\n")));
  const std::string contents = Contents(path);
  const auto data = [&](size_t tensor) {
    const TensorEntry& entry = table->tensors[tensor];
    return contents.substr(entry.data_begin_bytes, entry.data_end_bytes - entry.data_begin_bytes);
  };
  EXPECT_EQ(table->tensors[0].name, "a");
  EXPECT_EQ(data(0), "aaaa");
  EXPECT_EQ(table->tensors[1].name, "empty");
  EXPECT_EQ(data(1), "");
  EXPECT_EQ(table->tensors[2].name, kTensors[2].name);
  EXPECT_EQ(data(2), "m");
  EXPECT_EQ(table->tensors[3].dtype, DType::kF16);
  EXPECT_THAT(table->tensors[3].shape, testing::ElementsAre(2, 1));
  EXPECT_EQ(data(3), "zzzz");
  EXPECT_EQ(table->tensors[0].data_begin_bytes % 8, 0u);
}

TEST(SafetensorsWriter, OrderAndBlocksDoNotChangeTheBytes) {
  const ScratchFolder folder;
  std::vector<TensorToWrite> reversed(kTensors.rbegin(), kTensors.rend());
  ASSERT_TRUE(WriteAll(folder.path() / "1", kTensors, {{"a", "b"}}, "aaaamzzzz", 1));
  ASSERT_TRUE(WriteAll(folder.path() / "2", reversed, {{"a", "b"}}, "aaaamzzzz", 9));
  EXPECT_EQ(Contents(folder.path() / "1"), Contents(folder.path() / "2"));
}

TEST(SafetensorsWriter, TensorsAreGivenInTheOrderOfTheirData) {
  const ScratchFolder folder;
  const auto writer = SafetensorsWriter::Create(folder.path() / "out", kTensors);
  ASSERT_TRUE(writer);
  std::vector<std::string> names;
  for (const TensorToWrite& tensor : (*writer)->tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names, testing::ElementsAre("a", "empty", kTensors[2].name, "z"));
}

TEST(SafetensorsWriter, AFileWithoutTensors) {
  const ScratchFolder folder;
  ASSERT_TRUE(WriteAll(folder.path() / "out", {}, {}, "", 1));
  EXPECT_EQ(Contents(folder.path() / "out"), BuildRawSafetensors("{}      ", ""));
  ASSERT_TRUE(WriteAll(folder.path() / "out", {}, {{"a", "b"}}, "", 1));
  EXPECT_TRUE(ReadSafetensorsTable(**File::Open(folder.path() / "out")));
}

TEST(SafetensorsWriter, TheOldFileStaysUntilTheNewOneIsWhole) {
  const ScratchFolder folder;
  const auto path = folder.Write("out.safetensors", "old");
  {
    auto writer = SafetensorsWriter::Create(path, {{"a", DType::kU8, {4}}});
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->Append(BytesOf("aa")));
    EXPECT_EQ(Contents(path), "old");
  }
  EXPECT_EQ(Contents(path), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

std::string Problem(std::vector<TensorToWrite> tensors,
                    const std::map<std::string, std::string>& metadata = {}) {
  const ScratchFolder folder;
  const auto writer =
      SafetensorsWriter::Create(folder.path() / "out", std::move(tensors), metadata);
  if (writer) return "no error";
  EXPECT_EQ(writer.error().file, (folder.path() / "out").string());
  EXPECT_TRUE(fs::is_empty(folder.path()));
  const std::string text = DescribeError(writer.error());
  return text.substr(text.find("out: ") + 5);
}

TEST(SafetensorsWriter, WhatNobodyCouldReadIsNotWritten) {
  EXPECT_EQ(Problem({{"a", DType::kU8, {1}}, {"a", DType::kF32, {1}}}),
            "tensor \"a\": name occurs twice in the header");
  EXPECT_THAT(Problem({{"a\xFF", DType::kU8, {1}}}),
              testing::StartsWith("header is not valid JSON\n"));
  EXPECT_THAT(Problem({}, {{"a", "\xFF"}}), testing::StartsWith("header is not valid JSON\n"));
  EXPECT_THAT(Problem({{"__metadata__", DType::kU8, {1}}}),
              testing::StartsWith("__metadata__ is not a map of strings\n"));
  EXPECT_EQ(Problem({{"a", DType::kF4, {3}}}),
            "tensor \"a\": packed elements do not fill whole bytes\n"
            "  found:    3 elements of 4 bits");
  EXPECT_EQ(Problem({{"a", DType::kU8, {1ull << 32, 1ull << 32}}}),
            "tensor \"a\": shape is too large to address\n"
            "  found:    shape [4294967296, 4294967296]");
  EXPECT_THAT(Problem({{"a", DType::kU8, {1ull << 60}},
                       {"b", DType::kF64, {1ull << 57}},
                       {"c", DType::kU8, {UINT64_MAX / 8}},
                       {"d", DType::kF64, std::vector<uint64_t>(33, 1)}}),
              testing::StartsWith("tensor \"d\": shape has more than 32 dimensions"));
}

TEST(SafetensorsWriter, AMissingFolderIsAnError) {
  const ScratchFolder folder;
  const auto path = folder.path() / "missing" / "out";
  const auto writer = SafetensorsWriter::Create(path, kTensors);
  ASSERT_FALSE(writer);
  EXPECT_EQ(DescribeError(writer.error()),
            path.string() + ": cannot create: No such file or directory");
}

}  // namespace
}  // namespace tensorguard::internal
