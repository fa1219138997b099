#include "formats/gguf/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::Pointee;

GgufHeader Parsed(const std::string& bytes) {
  auto header = ParseGgufHeader(bytes, bytes.size());
  if (header) return *std::move(header);
  ADD_FAILURE() << DescribeError(header.error());
  return {};
}

TEST(Gguf, TensorsAndTheirPlaces) {
  const std::string file = BuildGguf({GgufTextPair("general.architecture", "llama")},
                                     {GgufF32Tensor("z", {2, 3}, {1, 2, 3, 4, 5, 6}),
                                      {"half", 1, {5}, std::string(10, '\1')},
                                      {"quantised", 8, {64, 2}, std::string(4 * 34, '\2')}});
  const GgufHeader header = Parsed(file);
  EXPECT_EQ(header.version, 3u);
  const auto& tensors = header.table.tensors;
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[0].name, "half");
  EXPECT_EQ(tensors[0].dtype, DType::kF16);
  EXPECT_EQ(tensors[0].data_end_bytes - tensors[0].data_begin_bytes, 10u);
  EXPECT_EQ(tensors[1].name, "quantised");
  EXPECT_EQ(tensors[1].dtype, DType::kQ8_0);
  EXPECT_THAT(tensors[1].shape, ElementsAre(2, 64));
  EXPECT_EQ(tensors[1].element_count, 128u);
  EXPECT_EQ(tensors[1].data_end_bytes - tensors[1].data_begin_bytes, 136u);
  EXPECT_EQ(file.substr(tensors[1].data_begin_bytes, 136), std::string(136, '\2'));
  EXPECT_EQ(tensors[2].name, "z");
  EXPECT_THAT(tensors[2].shape, ElementsAre(3, 2));
  EXPECT_EQ(file.substr(tensors[2].data_begin_bytes, 4), GgufBytes(1.0f));
}

TEST(Gguf, ReadsItFromAFile) {
  const ScratchFolder folder;
  const std::string bytes = BuildGguf({}, {GgufF32Tensor("w", {1}, {1})});
  const auto file = File::Open(folder.Write("m.gguf", bytes));
  ASSERT_TRUE(file);
  const auto header = ReadGgufHeader(**file);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->table.tensors.size(), 1u);
}

TEST(Gguf, EveryKindOfMetadata) {
  const std::string numbers =
      GgufBytes<uint32_t>(5) + GgufBytes<uint64_t>(2) + GgufBytes(-1) + GgufBytes(7);
  const GgufMetadata metadata =
      Parsed(BuildGguf(
                 {GgufPair("u8", 0, "\x07"), GgufPair("i8", 1, "\xff"),
                  GgufPair("u16", 2, GgufBytes<uint16_t>(60000)),
                  GgufPair("i16", 3, GgufBytes<int16_t>(-3)), GgufNumberPair("u32", 1u << 31),
                  GgufPair("i32", 5, GgufBytes(5)), GgufRealPair("f32", 0.5f),
                  GgufPair("yes", 7, "\x01"), GgufPair("no", 7, std::string(1, '\0')),
                  GgufTextPair("text", "words"), GgufPair("numbers", 9, numbers),
                  GgufPair("u64", 10, GgufBytes(UINT64_MAX)),
                  GgufPair("i64", 11, GgufBytes<int64_t>(-9)), GgufPair("f64", 12, GgufBytes(0.25)),
                  GgufTextsPair("tokenizer.ggml.tokens", {"a", "", "bc"}),
                  GgufTextsPair("tokenizer.ggml.merges", {"a b"})},
                 {}))
          .metadata;
  EXPECT_EQ(metadata.Number("u8"), 7u);
  EXPECT_EQ(metadata.Real("i8"), -1);
  EXPECT_EQ(metadata.Number("i8"), std::nullopt);
  EXPECT_EQ(metadata.Number("u16"), 60000u);
  EXPECT_EQ(metadata.Real("i16"), -3);
  EXPECT_EQ(metadata.Number("u32"), 1u << 31);
  EXPECT_EQ(metadata.Number("i32"), 5u);
  EXPECT_EQ(metadata.Real("f32"), 0.5);
  EXPECT_EQ(metadata.Flag("yes"), true);
  EXPECT_EQ(metadata.Flag("no"), false);
  EXPECT_EQ(metadata.Text("text"), "words");
  EXPECT_THAT(metadata.Numbers("numbers"), Pointee(ElementsAre(-1, 7)));
  EXPECT_EQ(metadata.Number("u64"), UINT64_MAX);
  EXPECT_EQ(metadata.Real("i64"), -9);
  EXPECT_EQ(metadata.Real("f64"), 0.25);
  EXPECT_THAT(metadata.Texts("tokenizer.ggml.tokens"), Pointee(ElementsAre("a", "", "bc")));
  EXPECT_EQ(metadata.Texts("tokenizer.ggml.merges"), nullptr) << "not needed, not kept";
  EXPECT_EQ(metadata.Text("absent"), std::nullopt);
}

TEST(Gguf, KeepsNoLongTextsAndArrays) {
  const auto numbers = [](uint64_t count) {
    return GgufBytes<uint32_t>(0) + GgufBytes<uint64_t>(count) + std::string(count, '\1');
  };
  const GgufMetadata metadata =
      Parsed(BuildGguf({GgufTextPair("short", std::string(4096, 'a')),
                        GgufTextPair("long", std::string(4097, 'a')),
                        GgufPair("few", 9, numbers(8192)), GgufPair("many", 9, numbers(8193)),
                        GgufPair("tokenizer.ggml.token_type", 9, numbers(8193)),
                        GgufNumberPair("last", 3)},
                       {}))
          .metadata;
  EXPECT_TRUE(metadata.Text("short"));
  EXPECT_FALSE(metadata.Text("long"));
  EXPECT_TRUE(metadata.Numbers("few"));
  EXPECT_FALSE(metadata.Numbers("many"));
  EXPECT_TRUE(metadata.Numbers("tokenizer.ggml.token_type"));
  EXPECT_EQ(metadata.Number("last"), 3u) << "what is not kept is passed over exactly";
}

TEST(Gguf, OtherAlignmentsAndHoles) {
  const std::string header =
      BuildRawGguf(2, 2, 1,
                   GgufNumberPair("general.alignment", 64) + GgufTensorInfo("a", {1}, 0, 0) +
                       GgufTensorInfo("b", {1}, 0, 128));
  std::string file = header;
  file.resize((file.size() + 63) / 64 * 64);
  const uint64_t data_begin = file.size();
  file.resize(data_begin + 132);
  const GgufHeader parsed = Parsed(file);
  EXPECT_EQ(parsed.version, 2u);
  ASSERT_EQ(parsed.table.tensors.size(), 2u);
  EXPECT_EQ(parsed.table.tensors[0].data_begin_bytes, data_begin);
  EXPECT_EQ(parsed.table.tensors[1].data_begin_bytes, data_begin + 128);
}

TEST(Gguf, PublishedFiles) {
  const auto folder = SharedData("real/parser/gguf");
  SKIP_WITHOUT(folder);
  const auto tensors_of = [&](const std::string& name) -> size_t {
    const auto file = File::Open(folder / name);
    if (!file) return 99;
    const auto header = ReadGgufHeader(**file);
    EXPECT_TRUE(header) << DescribeError(header.error());
    return header ? header->table.tensors.size() : 99;
  };
  EXPECT_EQ(tensors_of("empty.gguf"), 0u);
  EXPECT_EQ(tensors_of("ggml-vocab-bert-bge.gguf"), 0u);
  EXPECT_EQ(tensors_of("ggml-vocab-gpt-2.gguf"), 0u);
  EXPECT_EQ(tensors_of("ggml-vocab-llama-spm.gguf"), 0u);
  EXPECT_EQ(tensors_of("llama-2-tiny-random.gguf"), 12u);
}

}  // namespace
}  // namespace tensorguard::internal
