// PyTorch and NumPy files as a model's weights: the numbers that are read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/torch_builder.h"
#include "tests/support/zip_builder.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const WeightSource> Open(const std::filesystem::path& path) {
  auto weights = OpenStoredWeights(path);
  if (weights) return *weights;
  ADD_FAILURE() << DescribeError(weights.error());
  return nullptr;
}

std::vector<float> ReadAll(const WeightSource& weights, size_t tensor) {
  std::vector<float> out(weights.tensors()[tensor].element_count, -12345.0f);
  const auto read = weights.ReadFloat32(tensor, 0, out);
  EXPECT_TRUE(read) << DescribeError(read.error());
  return out;
}

const std::string kData = FloatBytes({0, 1, 2, 3, 4, 5});

TEST(StoredTorch, StridesAreFollowed) {
  const ScratchFolder folder;
  const BuiltTorchTensor plain = {.storage_elements = 6, .shape = {2, 3}, .strides = {3, 1}};
  const BuiltTorchTensor turned = {.storage_elements = 6, .shape = {3, 2}, .strides = {1, 3}};
  const BuiltTorchTensor expanded = {
      .storage_elements = 6, .shape = {2, 2}, .strides = {0, 1}, .first_element = 4};
  const std::string value = PickleDict(
      {{"a", PickleTensor(plain)}, {"b", PickleTensor(turned)}, {"c", PickleTensor(expanded)}});
  for (const std::string& bytes :
       {BuildTorchZip(value, {{"0", kData}}), BuildTorchLegacy(value, {{"0", kData}})}) {
    const auto weights = Open(folder.Write("pytorch_model.bin", bytes));
    ASSERT_TRUE(weights);
    EXPECT_THAT(ReadAll(*weights, 0), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(ReadAll(*weights, 1), ElementsAre(0, 3, 1, 4, 2, 5));
    EXPECT_THAT(ReadAll(*weights, 2), ElementsAre(4, 5, 4, 5));
    EXPECT_EQ(weights->tensors()[1].stored_bytes, 24u);
    EXPECT_EQ(weights->tensors()[2].stored_bytes, 8u);
  }
}

TEST(StoredTorch, TransposedBFloat16) {
  const ScratchFolder folder;
  BuiltTorchTensor turned = {.storage_elements = 6, .shape = {3, 2}, .strides = {1, 3}};
  turned.storage_type = "BFloat16Storage";
  std::string data;
  for (uint16_t i = 0; i < 6; ++i) data += LittleEndian<uint16_t>(0x3F80 + i);
  const auto weights =
      Open(folder.Write("m.pt", BuildTorchZip(PickleTensor(turned), {{"0", data}})));
  ASSERT_TRUE(weights);
  ASSERT_TRUE(weights->IsBFloat16(0));
  std::vector<BFloat16> stored(3);
  ASSERT_TRUE(weights->ReadBFloat16(0, 1, stored));
  EXPECT_EQ(static_cast<uint16_t>(stored[0]), 0x3F83);
  EXPECT_EQ(static_cast<uint16_t>(stored[1]), 0x3F81);
  EXPECT_EQ(static_cast<uint16_t>(stored[2]), 0x3F84);
  EXPECT_EQ(ReadAll(*weights, 0)[2], ToFloat32(stored[1]));
}

TEST(StoredTorch, ShardsWithAnIndex) {
  const ScratchFolder folder;
  const std::string tensor = PickleTensor({.storage_elements = 6, .shape = {6}, .strides = {1}});
  const auto shard = [&](const char* name) {
    return BuildTorchZip(PickleDict({{name, tensor}}), {{"0", kData}});
  };
  folder.Write("pytorch_model-00001-of-00002.bin", shard("a"));
  folder.Write("pytorch_model-00002-of-00002.bin", shard("b"));
  for (const bool indexed : {false, true}) {
    if (indexed) {
      folder.Write("pytorch_model.bin.index.json",
                   R"({"weight_map": {"a": "pytorch_model-00001-of-00002.bin",
                                      "b": "pytorch_model-00002-of-00002.bin"}})");
    }
    const auto weights = Open(folder.path());
    ASSERT_TRUE(weights);
    EXPECT_EQ(weights->tensors().size(), 2u);
  }
}

TEST(StoredTorch, PublishedFilesSayWhatTheyHold) {
  const auto folder = SharedData("real/parser/torch");
  SKIP_WITHOUT(folder);
  // As torch.load of PyTorch 1.13 prints them.
  EXPECT_THAT(ReadAll(*Open(folder / "bfloat16.pt"), 0), ElementsAre(1.5, -2.5, 3.5));
  EXPECT_THAT(ReadAll(*Open(folder / "float16.pt"), 0), ElementsAre(1.5, -2.25, 3.125));
  EXPECT_THAT(ReadAll(*Open(folder / "int64.pt"), 0), ElementsAre(100, -200, 300, 0));
  EXPECT_THAT(ReadAll(*Open(folder / "bool.pt"), 0), ElementsAre(1, 0, 1, 1, 0));
  EXPECT_THAT(ReadAll(*Open(folder / "scalar.pt"), 0), ElementsAre(42));
  EXPECT_THAT(ReadAll(*Open(folder / "tensor_2d.pt"), 0), ElementsAre(1, 2, 3, 4, 5, 6));
  const auto views = Open(folder / "legacy_uncloned_views.pt");
  ASSERT_TRUE(views);
  EXPECT_THAT(ReadAll(*views, 0), ElementsAre(10, 11, 12, 13, 14, 15, 16, 17, 18, 19));
  EXPECT_THAT(ReadAll(*views, 1), ElementsAre(50, 51, 52, 53, 54, 55, 56, 57, 58, 59));
  std::vector<float> counted(24);
  for (size_t i = 0; i < counted.size(); ++i) counted[i] = static_cast<float>(i + 1);
  EXPECT_EQ(ReadAll(*Open(folder / "fortran_tensor_3d.pth"), 0), counted);
  const auto mnist = Open(folder / "mnist.pt");
  ASSERT_TRUE(mnist);
  ASSERT_EQ(mnist->tensors().size(), 20u);
  EXPECT_EQ(mnist->tensors()[1].name, "conv1.weight");
  EXPECT_EQ(ReadAll(*mnist, 1)[1], -0.23659370839595795f);
  const auto checkpoint = Open(folder / "checkpoint.pt");
  ASSERT_TRUE(checkpoint);
  ASSERT_EQ(checkpoint->tensors().size(), 4u);
  EXPECT_EQ(checkpoint->tensors()[1].name, "fc1.weight");
  EXPECT_EQ(ReadAll(*checkpoint, 1)[0], 1.0414010286331177f);
}

// Noise that packs a little, of several states' length.
std::string Noise(size_t elements) {
  std::mt19937 random(4);
  std::string data(elements * sizeof(float), '\0');
  for (size_t i = 0; i < data.size(); i += sizeof(float)) {
    const float number = static_cast<float>(random() % 1000);
    std::memcpy(&data[i], &number, sizeof(number));
  }
  return data;
}

TEST(StoredNumpy, AnyRangeOfAPackedArray) {
  const size_t elements = 3'500'000;  // 14 MB
  const std::string data = Noise(elements);
  const std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(elements) + ",), }";
  const std::string array = "\x93NUMPY\x01" + std::string(1, '\0') +
                            LittleEndian(static_cast<uint16_t>(header.size())) + header + data;
  const ScratchFolder folder;
  const auto weights = Open(folder.Write(
      "w.npz", BuildZip({{"w.npy", Deflate(array), 8, 0, {}, static_cast<uint32_t>(array.size())},
                         {"v.npy", array}})));
  ASSERT_TRUE(weights);
  std::vector<std::pair<size_t, size_t>> ranges = {{0, elements}, {0, 1}, {elements - 1, 1}};
  std::mt19937 random(5);
  for (int i = 0; i < 40; ++i) ranges.push_back({random() % (elements - 1000), random() % 1000});
  // Several threads share the states that were kept.
  const auto read = ParallelFor(ranges.size(), 3, [&](size_t i) -> Result<void> {
    std::vector<float> out(ranges[i].second);
    auto done = weights->ReadFloat32(1, ranges[i].first, out);
    if (!done) return done;
    if (std::memcmp(out.data(), data.data() + ranges[i].first * 4, out.size() * 4) == 0) return {};
    return Error{.problem = "other numbers"};
  });
  EXPECT_TRUE(read) << DescribeError(read.error());
}

// What decodes packed integers asks for bytes.
TEST(StoredNumpy, BytesOfAPackedArray) {
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (50000,), }";
  const std::string data = Noise(50000);
  const std::string array = "\x93NUMPY\x01" + std::string(1, '\0') +
                            LittleEndian(static_cast<uint16_t>(header.size())) + header + data;
  const ScratchFolder folder;
  const auto weights = Open(folder.Write(
      "w.npz", BuildZip({{"w.npy", Deflate(array), 8, 0, {}, static_cast<uint32_t>(array.size())},
                         {"v.npy", array}})));
  ASSERT_TRUE(weights);
  for (const size_t tensor : {0, 1}) {
    std::string out(1001, '\0');
    const auto read = weights->ReadBytes(tensor, 77'777, std::as_writable_bytes(std::span(out)));
    ASSERT_TRUE(read) << DescribeError(read.error());
    EXPECT_EQ(out, data.substr(77'777, 1001)) << tensor;
  }
}

TEST(StoredNumpy, PackedDataThatBreaksLate) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (100000,), }";
  const std::string array = "\x93NUMPY\x01" + std::string(1, '\0') +
                            LittleEndian(static_cast<uint16_t>(header.size())) + header +
                            Noise(100000);
  const std::string packed = Deflate(array);
  const ScratchFolder folder;
  const auto weights =
      Open(folder.Write("w.npz", BuildZip({{"w.npy",
                                            packed.substr(0, packed.size() - 99),
                                            8,
                                            0,
                                            {},
                                            static_cast<uint32_t>(array.size())}})));
  ASSERT_TRUE(weights);
  std::vector<float> out(100000);
  const auto read = weights->ReadFloat32(0, 0, out);
  ASSERT_FALSE(read);
  EXPECT_THAT(DescribeError(read.error()),
              HasSubstr("w.npz: tensor \"w\": packed data ends early"));
}

}  // namespace
}  // namespace tensorguard::internal
