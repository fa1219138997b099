// GGUF files as a model's weights: ranges of blocks, bfloat16, split files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <string>
#include <vector>

#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"
#include "weights/elements/element_types.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Problem(const std::filesystem::path& path) {
  const auto weights = OpenStoredWeights(path);
  return weights ? "no error" : DescribeError(weights.error());
}

std::string Noise(size_t bytes) {
  std::mt19937 random(11);
  std::string noise(bytes, '\0');
  // No scale that is infinite or NaN, which is equal to nothing.
  for (char& byte : noise) byte = static_cast<char>(random() & 0x3B);
  return noise;
}

// Any range of a tensor, however it lies to the blocks, is what the whole says.
TEST(StoredGguf, AnyRangeOfBlocks) {
  const ScratchFolder folder;
  struct Type {
    uint32_t number;
    DType dtype;
  };
  for (const Type type : {Type{8, DType::kQ8_0}, Type{40, DType::kNvfp4}, Type{12, DType::kQ4K}}) {
    const DTypeInfo& info = InfoOf(type.dtype);
    const std::string data = Noise(80 * info.block_bytes);
    const uint64_t count = 80 * info.block_elements;
    std::vector<float> whole(count);
    DecodeToFloat32(type.dtype, std::as_bytes(std::span(data)), whole);
    const auto weights = OpenStoredWeights(
        folder.Write("m.gguf", BuildGguf({}, {{"w", type.number, {count / 2, 2}, data}})));
    ASSERT_TRUE(weights) << DescribeError(weights.error());
    const TensorInfo& tensor = (*weights)->tensors()[0];
    EXPECT_EQ(tensor.dtype, type.dtype);
    EXPECT_THAT(tensor.shape, ElementsAre(2, count / 2));
    EXPECT_EQ(tensor.stored_bytes, data.size());
    EXPECT_FALSE((*weights)->IsBFloat16(0));
    for (const uint64_t first : {uint64_t{0}, uint64_t{1}, uint64_t{31}, count / 2, count - 1}) {
      for (const uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{63}, count}) {
        std::vector<float> range(std::min(length, count - first));
        ASSERT_TRUE((*weights)->ReadFloat32(0, first, range));
        EXPECT_TRUE(std::equal(range.begin(), range.end(), whole.begin() + first))
            << info.name << " " << first << " " << length;
      }
    }
  }
}

TEST(StoredGguf, BFloat16AsItIsStored) {
  const ScratchFolder folder;
  const auto weights = OpenStoredWeights(
      folder.Write("m.gguf", BuildGguf({}, {{"w", 30, {2}, std::string("\x80\x3F\x00\xC0", 4)}})));
  ASSERT_TRUE(weights);
  ASSERT_TRUE((*weights)->IsBFloat16(0));
  std::vector<BFloat16> stored(2);
  ASSERT_TRUE((*weights)->ReadBFloat16(0, 0, stored));
  std::vector<float> numbers(2);
  ASSERT_TRUE((*weights)->ReadFloat32(0, 0, numbers));
  EXPECT_THAT(numbers, ElementsAre(1, -2));
}

std::string Part(const std::string& tensor, uint16_t number, uint16_t total) {
  return BuildGguf(
      {GgufPair("split.no", 2, GgufBytes(number)), GgufPair("split.count", 2, GgufBytes(total))},
      {GgufF32Tensor(tensor, {1}, {static_cast<float>(number)})});
}

TEST(StoredGguf, SplitFilesAreOneModel) {
  const ScratchFolder folder;
  const auto first = folder.Write("m-00001-of-00002.gguf", Part("b", 0, 2));
  folder.Write("m-00002-of-00002.gguf", Part("a", 1, 2));
  for (const auto& path : {folder.path(), first}) {
    const auto weights = OpenStoredWeights(path);
    ASSERT_TRUE(weights) << DescribeError(weights.error());
    ASSERT_EQ((*weights)->tensors().size(), 2u);
    std::vector<float> value(1);
    ASSERT_TRUE((*weights)->ReadFloat32(0, 0, value));
    EXPECT_EQ((*weights)->tensors()[0].name, "a");
    EXPECT_EQ(value[0], 1);
  }
}

TEST(StoredGguf, APartUnderAnotherNameIsNoModel) {
  const ScratchFolder folder;
  EXPECT_THAT(Problem(folder.Write("m.gguf", Part("a", 0, 2))),
              HasSubstr("m.gguf: file is one part of a split model\n"
                        "  found:    2 parts by the file's metadata\n"));
}

TEST(StoredGguf, PartsThatDisagree) {
  const ScratchFolder folder;
  folder.Write("m-00001-of-00002.gguf", Part("a", 0, 2));
  folder.Write("m-00002-of-00002.gguf", Part("b", 1, 3));
  EXPECT_THAT(Problem(folder.path()), HasSubstr("m-00002-of-00002.gguf: file is one part of"));
  folder.Write("m-00002-of-00002.gguf", Part("a", 1, 2));
  EXPECT_THAT(Problem(folder.path()), HasSubstr("tensor \"a\": tensor lies in two shards"));
}

TEST(StoredGguf, KnownByItsBytesWhateverItsName) {
  const ScratchFolder folder;
  EXPECT_TRUE(OpenStoredWeights(
      folder.Write("sha256-0123", BuildGguf({}, {GgufF32Tensor("w", {1}, {1})}))));
  EXPECT_THAT(Problem(folder.Write("m.gguf", "not one")), HasSubstr("m.gguf: not a GGUF file"));
  EXPECT_THAT(Problem(folder.Write("empty.gguf", BuildGguf({}, {}))),
              HasSubstr("model holds no tensors"));
}

}  // namespace
}  // namespace tensorguard::internal
