#include "safetensors/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/tiling.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Result<TensorTable> Read(const std::filesystem::path& path) {
  const auto file = File::Open(path);
  if (!file) return file.error();
  return ReadSafetensorsTable(**file);
}

Result<TensorTable> ReadBytes(const std::string& bytes) {
  const ScratchFolder folder;
  return Read(folder.Write("model.safetensors", bytes));
}

// The error's text with the folder, which differs from run to run, taken off.
std::string Problem(const std::string& bytes) {
  const auto table = ReadBytes(bytes);
  if (table) return "no error";
  const std::string text = DescribeError(table.error());
  return text.substr(text.find("model.safetensors"));
}

TEST(Safetensors, TensorsAreSortedAndPlaced) {
  const std::string bytes = BuildSafetensors({F32Tensor("z", {2, 3}, {1, 2, 3, 4, 5, 6}),
                                              {"a", "BF16", {}, "xy"},
                                              {"m", "F4", {4}, "xy"},
                                              {"empty", "I64", {0, 7}, ""}});
  const auto table = ReadBytes(bytes);
  ASSERT_TRUE(table) << DescribeError(table.error());
  ASSERT_EQ(table->tensors.size(), 4u);
  const uint64_t data_begin = bytes.size() - 28;
  EXPECT_EQ(table->tensors[0].name, "a");
  EXPECT_EQ(table->tensors[0].dtype, DType::kBF16);
  EXPECT_THAT(table->tensors[0].shape, IsEmpty());
  EXPECT_EQ(table->tensors[0].element_count, 1u);
  EXPECT_EQ(table->tensors[0].data_begin_bytes, data_begin + 24);
  EXPECT_EQ(table->tensors[0].data_end_bytes, data_begin + 26);
  EXPECT_EQ(table->tensors[1].name, "empty");
  EXPECT_EQ(table->tensors[1].element_count, 0u);
  EXPECT_EQ(table->tensors[2].name, "m");
  EXPECT_EQ(table->tensors[2].element_count, 4u);
  EXPECT_EQ(table->tensors[3].name, "z");
  EXPECT_THAT(table->tensors[3].shape, ElementsAre(2, 3));
  EXPECT_EQ(table->tensors[3].data_begin_bytes, data_begin);
  EXPECT_THAT(table->metadata, IsEmpty());
}

TEST(Safetensors, WhatTheFormatAllowsIsAccepted) {
  const std::string entry = R"({"data_offsets":[0,4],"shape":[4],"dtype":"U8"})";
  for (const std::string& header : std::vector<std::string>{
           "{\"w\":" + entry + "}", "{\"w\":" + entry + "}      ", "{ \"w\" :\n" + entry + "\r\n}",
           R"({"__metadata__":null,"w":)" + entry + "}", R"({"__metadata__":{},"w":)" + entry + "}",
           R"({"w":)" + entry + R"(,"__metadata__":{"format":"pt"}})", "{\"\":" + entry + "}",
           R"({"\u0000\u001b[2J\"":)" + entry + "}", "{\"\xE5\x90\x8D\":" + entry + "}",
           R"({"w":{"dtype":"U8","shape":[1,2,1,2],"data_offsets":[0,4]}})",
           R"({"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
           R"({"w":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[0,3]},)"
           R"("x":{"dtype":"BOOL","shape":[],"data_offsets":[3,4]}})"}) {
    const auto table = ReadBytes(BuildRawSafetensors(header, "abcd"));
    EXPECT_TRUE(table) << header << "\n" << DescribeError(table.error());
  }
  EXPECT_TRUE(ReadBytes(BuildRawSafetensors("{}", "")));
}

TEST(Safetensors, MetadataIsKept) {
  const auto table =
      ReadBytes(BuildRawSafetensors(R"({"__metadata__":{"format":"pt","a":"\u00e9"}})", ""));
  ASSERT_TRUE(table);
  EXPECT_THAT(table->metadata, ElementsAre(Pair("a", "\xC3\xA9"), Pair("format", "pt")));
}

TEST(Safetensors, EveryTypeHasItsWidth) {
  for (const DTypeInfo& info : AllDTypes()) {
    const auto table = ReadBytes(
        BuildSafetensors({{"w", std::string(info.name), {8}, std::string(info.bits, 'x')}}));
    ASSERT_TRUE(table) << info.name << DescribeError(table.error());
    EXPECT_EQ(table->tensors[0].dtype, info.dtype);
  }
}

TEST(Safetensors, ErrorsTellWhatWasFoundAndExpected) {
  EXPECT_EQ(Problem(BuildRawSafetensors(
                R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,8]}})", "12345678")),
            "model.safetensors: tensor \"w\": shape and data range disagree (byte 64)\n"
            "  found:    data_offsets [0, 8] of 8 bytes\n"
            "  expected: 24 bytes for F32 [2, 3]");
  EXPECT_EQ(
      Problem(BuildRawSafetensors(
          R"({"w\u001b[2J":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", "12345678")),
      "model.safetensors: tensor \"w\\x1b[2J\": data ends past the end of the file (byte 70)\n"
      "  found:    data_offsets [0, 9]\n"
      "  expected: an end of at most 8\n"
      "  try:      fetch the file again; the download was probably cut short");
  EXPECT_EQ(Problem(BuildRawSafetensors(R"({"w":{"dtype":"Q4"}})", "")),
            "model.safetensors: tensor \"w\": unknown dtype (byte 25)\n"
            "  found:    Q4\n"
            "  expected: one of BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ "
            "F8_E5M2FNUZ I16 U16 F16 BF16 I32 U32 F32 C64 F64 I64 U64");
  EXPECT_EQ(Problem(BuildRawSafetensors("{\"w\":x}", "")),
            "model.safetensors: tensor \"w\": header is not valid JSON (byte 13)\n"
            "  found:    syntax error while parsing value - invalid literal");
  EXPECT_EQ(Problem(BuildRawSafetensors(std::string("{}\0", 3), "")),
            "model.safetensors: header is not valid JSON (byte 10)\n"
            "  found:    a zero byte");
  EXPECT_EQ(Problem(std::string(100, 'x')),
            "model.safetensors: not a safetensors file, or its header length is wrong (byte 0)\n"
            "  expected: a header length of at most 100000000 bytes");
}

TEST(Safetensors, HugeTokensMakeShortErrors) {
  const std::string unterminated =
      Problem(BuildRawSafetensors("{\"" + std::string(1'000'000, 'a'), ""));
  EXPECT_LT(unterminated.size(), 600u);
  EXPECT_THAT(unterminated, testing::HasSubstr("missing closing quote"));
}

bool Tiles(const TensorTable& table, uint64_t data_begin, uint64_t file_size) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const TensorEntry& entry : table.tensors) {
    ranges.push_back({entry.data_begin_bytes, entry.data_end_bytes});
  }
  return TilesExactly(ranges, data_begin, file_size);
}

std::vector<BuiltTensor> RandomTensors(std::mt19937_64& random) {
  std::vector<BuiltTensor> tensors(random() % 20);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const DTypeInfo& info = AllDTypes()[random() % AllDTypes().size()];
    tensors[i] = {fmt::format("{}.{}", random() % 5, i), std::string(info.name), {8}, ""};
    uint64_t elements = 8;  // so that packed types fill whole bytes
    for (uint64_t dimensions = random() % 4; dimensions > 0; --dimensions) {
      tensors[i].shape.push_back(random() % 4);
      elements *= tensors[i].shape.back();
    }
    tensors[i].data.resize(elements * info.bits / 8);
  }
  return tensors;
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100; ++round) {
    const std::vector<BuiltTensor> tensors = RandomTensors(random);
    const std::string bytes = BuildSafetensors(tensors);
    uint64_t data_bytes = 0;
    for (const BuiltTensor& tensor : tensors) data_bytes += tensor.data.size();
    const auto table = ReadBytes(bytes);
    ASSERT_TRUE(table) << DescribeError(table.error());
    ASSERT_EQ(table->tensors.size(), tensors.size());
    EXPECT_TRUE(Tiles(*table, bytes.size() - data_bytes, bytes.size()));
    for (const BuiltTensor& tensor : tensors) {
      const auto entry =
          std::find_if(table->tensors.begin(), table->tensors.end(),
                       [&](const TensorEntry& candidate) { return candidate.name == tensor.name; });
      ASSERT_NE(entry, table->tensors.end());
      EXPECT_EQ(entry->shape, tensor.shape);
      EXPECT_EQ(InfoOf(entry->dtype).name, tensor.dtype);
      EXPECT_EQ(entry->data_end_bytes - entry->data_begin_bytes, tensor.data.size());
    }
  }
}

// A damaged file is refused with a reason, or what is accepted still covers the file exactly.
TEST(Safetensors, DamagedFilesAreRefusedOrWhole) {
  const std::string spare = "{}[]\",:0123456789-.eE \\\x80";
  std::mt19937_64 random(5);
  size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string bytes = BuildSafetensors(RandomTensors(random));
    const size_t header_bytes =
        static_cast<unsigned char>(bytes[0]) + (size_t{static_cast<unsigned char>(bytes[1])} << 8);
    std::string header = bytes.substr(8, header_bytes);
    for (uint64_t damages = 1 + random() % 3; damages > 0; --damages) {
      char& byte = header[random() % header.size()];
      byte = random() % 2 == 0 ? spare[random() % spare.size()]
                               : static_cast<char>(byte ^ (1 << (random() % 8)));
    }
    const uint64_t file_bytes = bytes.size() - (random() % 8 == 0 ? 1 : 0);
    const auto table = ParseSafetensorsHeader(header, file_bytes);
    if (table) {
      EXPECT_TRUE(Tiles(*table, 8 + header_bytes, file_bytes));
    } else {
      EXPECT_FALSE(table.error().problem.empty());
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000u);
}

TEST(Safetensors, OfficialSamples) {
  const auto samples = SharedData("real/parser/safetensors-samples");
  SKIP_WITHOUT(samples);
  size_t read = 0;
  for (const auto& sample : std::filesystem::directory_iterator(samples)) {
    const auto table = Read(sample.path());
    ASSERT_TRUE(table) << DescribeError(table.error());
    EXPECT_THAT(table->metadata, ElementsAre(Pair("test", "a")));
    for (const TensorEntry& entry : table->tensors) EXPECT_THAT(entry.shape, ElementsAre(6));
    ++read;
  }
  EXPECT_EQ(read, 10u);
}

TEST(Safetensors, PublishedFileCutShort) {
  const auto odd = SharedData("real/parser/odd/truncated.safetensors");
  SKIP_WITHOUT(odd);
  const auto malformed =
      SharedData("real/layouts/malformed/truncated-safetensors/model.safetensors");
  for (const auto& path : {odd, malformed}) {
    const auto table = Read(path);
    ASSERT_FALSE(table);
    EXPECT_EQ(table.error().problem, "data ends past the end of the file");
    EXPECT_EQ(table.error().file, path.string());
    EXPECT_FALSE(table.error().tensor.empty());
  }
}

TEST(Safetensors, RealFilesAreAccepted) {
  const auto architectures = SharedData("real/architectures");
  SKIP_WITHOUT(architectures);
  size_t read = 0;
  for (const auto& item : std::filesystem::recursive_directory_iterator(architectures)) {
    if (item.path().extension() != ".safetensors") continue;
    const auto table = Read(item.path());
    ASSERT_TRUE(table) << DescribeError(table.error());
    ++read;
  }
  EXPECT_GT(read, 100u);
}

}  // namespace
}  // namespace tensorguard::internal
