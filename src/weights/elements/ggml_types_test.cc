#include "weights/elements/ggml_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "formats/gguf/gguf.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/shared_data.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using testing::Each;
using testing::ElementsAre;

std::vector<float> Decoded(DType dtype, const std::string& bytes) {
  const DTypeInfo& info = InfoOf(dtype);
  std::vector<float> out(bytes.size() / info.block_bytes * info.block_elements, -12345.0f);
  DecodeGgmlBlocks(dtype, std::as_bytes(std::span(bytes)), out);
  return out;
}

const std::string kHalfOne("\x00\x3C", 2);
const std::string kHalfTwo("\x00\x40", 2);

TEST(GgmlTypes, Q8_0IsScaleTimesCode) {
  std::string block = kHalfTwo + std::string(32, '\1');
  block[2] = '\x80';
  block[33] = '\x7F';
  const auto values = Decoded(DType::kQ8_0, block);
  EXPECT_EQ(values[0], -256);
  EXPECT_EQ(values[1], 2);
  EXPECT_EQ(values[31], 254);
}

TEST(GgmlTypes, Q4_0KeepsTheSecondHalfInTheHighBits) {
  std::string block = kHalfOne + std::string(16, '\x88');
  block[2] = '\xF0';
  const auto values = Decoded(DType::kQ4_0, block);
  EXPECT_EQ(values[0], -8);
  EXPECT_EQ(values[16], 7);
  EXPECT_EQ(values[1], 0);
}

TEST(GgmlTypes, Q4_1AddsTheLeast) {
  const auto values = Decoded(DType::kQ4_1, kHalfOne + kHalfTwo + std::string(16, '\x31'));
  EXPECT_EQ(values[0], 3);
  EXPECT_EQ(values[31], 5);
}

TEST(GgmlTypes, Q8KScaleIsFloat32) {
  const auto values =
      Decoded(DType::kQ8K, GgufBytes(0.25f) + std::string(256, '\xFC') + std::string(32, '\x55'));
  EXPECT_THAT(values, Each(-1.0f));
}

TEST(GgmlTypes, MicroscalingValues) {
  std::string block = std::string(1, '\x80') + std::string(16, '\0');
  for (unsigned i = 0; i < 16; ++i) block[1 + i] = static_cast<char>(i);
  auto values = Decoded(DType::kMxfp4, block);
  values.resize(16);
  EXPECT_THAT(values, ElementsAre(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12));
}

// No block can make a decoder read outside its tables: the sanitizers watch.
TEST(GgmlTypes, AnyBytesDecode) {
  std::mt19937 random(7);
  for (const DTypeInfo& info : AllBlockTypes()) {
    std::string bytes(info.block_bytes * 50, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    for (size_t i = 0; i < info.block_bytes; ++i) bytes[i] = '\xFF';
    for (const float value : Decoded(info.dtype, bytes)) EXPECT_NE(value, -12345.0f) << info.name;
  }
}

std::map<std::string, std::vector<float>> AllTensors(const std::filesystem::path& path) {
  std::map<std::string, std::vector<float>> tensors;
  const auto weights = OpenStoredWeights(path);
  EXPECT_TRUE(weights) << DescribeError(weights.error());
  if (!weights) return tensors;
  for (size_t i = 0; i < (*weights)->tensors().size(); ++i) {
    const TensorInfo& info = (*weights)->tensors()[i];
    std::vector<float>& values = tensors[info.name];
    values.resize(info.element_count);
    EXPECT_TRUE((*weights)->ReadFloat32(i, 0, values));
  }
  return tensors;
}

// What the format's own library reads from one matrix in 28 types.
TEST(GgmlTypes, AsTheFormatsOwnLibrary) {
  const auto folder = SharedData("real/gguf-golden");
  SKIP_WITHOUT(folder);
  const auto decoded = AllTensors(folder / "quantised.gguf");
  const auto expected = AllTensors(folder / "expected-f32.gguf");
  ASSERT_EQ(decoded.size(), 28u);
  for (const auto& [name, values] : decoded) {
    ASSERT_TRUE(expected.contains(name)) << name;
    const std::vector<float>& wanted = expected.at(name);
    ASSERT_EQ(values.size(), wanted.size()) << name;
    size_t different = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      different += std::bit_cast<uint32_t>(values[i]) != std::bit_cast<uint32_t>(wanted[i]);
    }
    EXPECT_EQ(different, 0u) << name;
  }
}

}  // namespace
}  // namespace tensorguard::internal
