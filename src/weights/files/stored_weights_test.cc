#include "weights/files/stored_weights.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/parallel.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "weights/elements/element_types.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::shared_ptr<const WeightSource> Open(const std::filesystem::path& path) {
  auto weights = OpenStoredWeights(path);
  if (weights) return *weights;
  ADD_FAILURE() << DescribeError(weights.error());
  return nullptr;
}

std::string Problem(const std::filesystem::path& path) {
  const auto weights = OpenStoredWeights(path);
  return weights ? "no error" : DescribeError(weights.error());
}

std::vector<float> Read(const WeightSource& weights, size_t tensor, uint64_t first, size_t count) {
  std::vector<float> out(count, -12345.0f);
  const auto read = weights.ReadFloat32(tensor, first, out);
  EXPECT_TRUE(read) << DescribeError(read.error());
  return out;
}

std::vector<float> ReadAll(const WeightSource& weights, size_t tensor) {
  return Read(weights, tensor, 0, weights.tensors()[tensor].element_count);
}

std::string Index(const std::string& weight_map) { return R"({"weight_map": )" + weight_map + "}"; }

TEST(StoredWeights, OneFile) {
  const ScratchFolder folder;
  const auto file =
      folder.Write("model.safetensors",
                   BuildSafetensors({F32Tensor("z", {2, 2}, {1, 2, 3, 4}),
                                     F32Tensor("a", {}, {7}),
                                     {"half", "F16", {2}, std::string("\x00\x3C\x00\xC0", 4)},
                                     F32Tensor("empty", {0, 5}, {})}));
  const auto weights = Open(folder.path());
  ASSERT_TRUE(weights);
  ASSERT_EQ(weights->tensors().size(), 4u);
  const TensorInfo& z = weights->tensors()[3];
  EXPECT_EQ(z.name, "z");
  EXPECT_EQ(z.dtype, DType::kF32);
  EXPECT_THAT(z.shape, ElementsAre(2, 2));
  EXPECT_EQ(z.element_count, 4u);
  EXPECT_EQ(z.stored_bytes, 16u);
  EXPECT_EQ(z.file, file.string());
  EXPECT_THAT(ReadAll(*weights, 0), ElementsAre(7));
  EXPECT_THAT(ReadAll(*weights, 1), ElementsAre());
  EXPECT_THAT(ReadAll(*weights, 2), ElementsAre(1, -2));
  EXPECT_THAT(ReadAll(*weights, 3), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Read(*weights, 3, 1, 2), ElementsAre(2, 3));
  EXPECT_THAT(Read(*weights, 3, 4, 0), ElementsAre());
}

TEST(StoredWeights, BFloat16AsItIsStored) {
  const ScratchFolder folder;
  folder.Write("model.safetensors",
               BuildSafetensors({F32Tensor("a", {1}, {7}),
                                 {"b", "BF16", {3}, std::string("\x80\x3F\x00\xC0\xC0\x7F", 6)}}));
  const auto weights = Open(folder.path());
  ASSERT_TRUE(weights);
  EXPECT_FALSE(weights->IsBFloat16(0));
  ASSERT_TRUE(weights->IsBFloat16(1));
  std::vector<BFloat16> stored(2);
  ASSERT_TRUE(weights->ReadBFloat16(1, 1, stored));
  EXPECT_EQ(static_cast<uint16_t>(stored[0]), 0xC000);
  EXPECT_EQ(ToFloat32(stored[0]), -2);
  EXPECT_EQ(static_cast<uint16_t>(stored[1]), 0x7FC0);  // NaN, untouched
}

// Two shards, "a" and "c" in the first, "b" in the second.
class Shards : public ScratchFolder {
 public:
  const std::filesystem::path first =
      Write("model-1-of-2.safetensors",
            BuildSafetensors({F32Tensor("a", {1}, {1}), F32Tensor("c", {2}, {3, 4})}));
  const std::filesystem::path second =
      Write("model-2-of-2.safetensors", BuildSafetensors({F32Tensor("b", {1}, {2})}));

  void WriteIndex(const std::string& weight_map) const {
    Write("model.safetensors.index.json", Index(weight_map));
  }
};

constexpr const char* kRightIndex = R"({"a": "model-1-of-2.safetensors",
    "b": "model-2-of-2.safetensors", "c": "model-1-of-2.safetensors"})";

TEST(StoredWeights, ShardsAreOneModel) {
  const Shards shards;
  for (const bool indexed : {false, true}) {
    if (indexed) shards.WriteIndex(kRightIndex);
    const auto weights = Open(shards.path());
    ASSERT_TRUE(weights);
    ASSERT_EQ(weights->tensors().size(), 3u);
    EXPECT_EQ(weights->tensors()[1].file, shards.second.string());
    EXPECT_THAT(ReadAll(*weights, 0), ElementsAre(1));
    EXPECT_THAT(ReadAll(*weights, 1), ElementsAre(2));
    EXPECT_THAT(ReadAll(*weights, 2), ElementsAre(3, 4));
  }
}

TEST(StoredWeights, TheIndexPromisesMoreThanAShardHolds) {
  const Shards shards;
  shards.WriteIndex(R"({"a": "model-1-of-2.safetensors", "aa": "model-2-of-2.safetensors",
                        "b": "model-2-of-2.safetensors", "c": "model-1-of-2.safetensors"})");
  EXPECT_EQ(
      Problem(shards.path()),
      shards.second.string() + ": tensor \"aa\": shard lacks a tensor that the index promises");
  shards.WriteIndex(R"({"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors",
                        "c": "model-1-of-2.safetensors", "d": "model-1-of-2.safetensors"})");
  EXPECT_EQ(Problem(shards.path()),
            shards.first.string() + ": tensor \"d\": shard lacks a tensor that the index promises");
}

TEST(StoredWeights, AShardHoldsMoreThanTheIndexPromises) {
  const Shards shards;
  shards.WriteIndex(R"({"b": "model-2-of-2.safetensors", "c": "model-1-of-2.safetensors"})");
  EXPECT_EQ(Problem(shards.path()), shards.first.string() +
                                        ": tensor \"a\": shard holds a tensor that the index does "
                                        "not name");
  shards.WriteIndex(R"({"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"})");
  EXPECT_EQ(Problem(shards.path()), shards.first.string() +
                                        ": tensor \"c\": shard holds a tensor that the index does "
                                        "not name");
}

TEST(StoredWeights, TheIndexNamesAnotherShard) {
  const Shards shards;
  shards.WriteIndex(R"({"a": "model-1-of-2.safetensors", "b": "model-1-of-2.safetensors",
                        "c": "model-2-of-2.safetensors"})");
  EXPECT_EQ(Problem(shards.path()), shards.second.string() +
                                        ": tensor \"b\": tensor lies in another shard than the "
                                        "index says\n  expected: " +
                                        shards.first.string());
}

TEST(StoredWeights, OneTensorInTwoShards) {
  const Shards shards;
  shards.Write("model-2-of-2.safetensors",
               BuildSafetensors({F32Tensor("b", {1}, {2}), F32Tensor("c", {1}, {5})}));
  const std::string expected = shards.first.string() +
                               ": tensor \"c\": tensor lies in two shards\n  found:    also in " +
                               shards.second.string();
  EXPECT_EQ(Problem(shards.path()), expected);
  shards.WriteIndex(kRightIndex);
  EXPECT_EQ(Problem(shards.path()), expected);
}

TEST(StoredWeights, OneBadShardIsNoModel) {
  const Shards shards;
  const std::string cut = BuildSafetensors({F32Tensor("b", {1}, {2})});
  shards.Write("model-2-of-2.safetensors", cut.substr(0, cut.size() - 1));
  EXPECT_THAT(Problem(shards.path()),
              testing::StartsWith(shards.second.string() +
                                  ": tensor \"b\": data ends past the end of the file"));
}

TEST(StoredWeights, LfsPointersAreNamed) {
  const Shards shards;
  shards.Write("model-2-of-2.safetensors",
               "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n");
  EXPECT_EQ(Problem(shards.path()),
            shards.second.string() +
                ": a Git LFS pointer, not the file itself\n"
                "  try:      run \"git lfs pull\" in the folder to fetch the file");
}

TEST(StoredWeights, AModelWithoutTensorsIsNone) {
  const ScratchFolder folder;
  const auto file = folder.Write("model.safetensors", BuildSafetensors({}));
  EXPECT_THAT(Problem(file), StartsWith(file.string() + ": model holds no tensors\n"));
}

TEST(StoredWeights, ComplexNumbersAreRefusedWhenRead) {
  const ScratchFolder folder;
  const auto file = folder.Write("model.safetensors",
                                 BuildSafetensors({{"w", "C64", {1}, std::string(8, '\0')}}));
  const auto weights = Open(file);
  ASSERT_TRUE(weights);
  std::vector<float> out(1);
  const auto read = weights->ReadFloat32(0, 0, out);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(DescribeError(read.error()),
            file.string() +
                ": tensor \"w\": complex numbers cannot be read as weights\n"
                "  found:    C64");
}

TEST(StoredWeights, AFileThatChangedIsNotRead) {
  const ScratchFolder folder;
  const auto file =
      folder.Write("model.safetensors", BuildSafetensors({F32Tensor("w", {2}, {1, 2})}));
  const auto weights = Open(file);
  ASSERT_TRUE(weights);
  std::filesystem::resize_file(file, 80);
  std::vector<float> out(2);
  auto read = weights->ReadFloat32(0, 0, out);
  ASSERT_FALSE(read);
  EXPECT_THAT(
      DescribeError(read.error()),
      testing::StartsWith(file.string() + ": tensor \"w\": file changed while it was in use\n"
                                          "  found:    80 bytes\n"));
  std::filesystem::remove(file);
  read = weights->ReadFloat32(0, 0, out);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kNotFound);
}

TEST(StoredWeights, AFileThatShrinksWhileOpenIsAnError) {
  const ScratchFolder folder;
  const auto file =
      folder.Write("model.safetensors",
                   BuildSafetensors({F32Tensor("w", {2}, {1, 2}),
                                     {"x", "BF16", {2}, std::string("\x80\x3F\x00\x40", 4)}}));
  const auto weights = Open(file);
  ASSERT_TRUE(weights);
  EXPECT_THAT(ReadAll(*weights, 1), ElementsAre(1, 2));
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 11);
  std::vector<float> out(2);
  for (const size_t tensor : {0, 1}) {
    const auto read = weights->ReadFloat32(tensor, 0, out);
    ASSERT_FALSE(read);
    EXPECT_THAT(DescribeError(read.error()), HasSubstr("file ends while being read"));
    EXPECT_EQ(read.error().tensor, weights->tensors()[tensor].name);
  }
}

// Any window of any type must equal the same window of the whole, decoded by the reference. More
// elements than one block, and not a multiple of it.
TEST(StoredWeights, EveryWindowOfEveryType) {
  constexpr size_t kElements = 2 * 8192 + 12;
  std::mt19937_64 random(3);
  const ScratchFolder folder;
  for (const DTypeInfo& info : AllDTypes()) {
    if (!IsReal(info.dtype)) continue;
    std::string data(kElements * info.bits / 8, '\0');
    for (char& byte : data) byte = static_cast<char>(random() % 100);  // no NaN in any type
    std::vector<float> whole(kElements);
    DecodeToFloat32Reference(info.dtype, std::as_bytes(std::span(data)), whole);
    const auto file = folder.Write(
        "model.safetensors", BuildSafetensors({{"before", "U8", {3}, "abc"},
                                               {"w", std::string(info.name), {kElements}, data},
                                               {"x", "U8", {3}, "xyz"}}));
    const auto weights = Open(file);
    ASSERT_TRUE(weights);
    EXPECT_EQ(ReadAll(*weights, 1), whole) << info.name;
    std::vector<std::pair<size_t, size_t>> windows;
    for (size_t first = 0; first < 6; ++first) {
      for (size_t count = 0; count < 8; ++count) windows.push_back({first, count});
    }
    for (int i = 0; i < 30; ++i) {
      const size_t first = random() % kElements;
      windows.push_back({first, random() % (kElements - first + 1)});
    }
    for (const auto& [first, count] : windows) {
      ASSERT_EQ(Read(*weights, 1, first, count),
                std::vector<float>(whole.begin() + static_cast<ptrdiff_t>(first),
                                   whole.begin() + static_cast<ptrdiff_t>(first + count)))
          << info.name << " from " << first << ", " << count;
    }
  }
}

// Lowers the limit on open files for as long as it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lowered = before_;
    lowered.rlim_cur = limit;
    setrlimit(RLIMIT_NOFILE, &lowered);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

TEST(StoredWeights, AThousandShardsNeedFewDescriptors) {
  constexpr size_t kShards = 1000;
  const ScratchFolder folder;
  Json weight_map;
  for (size_t i = 0; i < kShards; ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, kShards);
    const std::string tensor = fmt::format("layer.{:04}", i);
    folder.Write(name, BuildSafetensors({F32Tensor(tensor, {1}, {static_cast<float>(i)})}));
    weight_map[tensor] = name;
  }
  folder.Write("model.safetensors.index.json", Json{{"weight_map", weight_map}}.dump());

  const FewDescriptors limit(100);
  const auto weights = Open(folder.path());
  ASSERT_TRUE(weights);
  ASSERT_EQ(weights->tensors().size(), kShards);
  for (const unsigned threads : {1u, 8u}) {
    std::vector<float> values(2 * kShards);
    const auto read = ParallelFor(values.size(), threads, [&](size_t i) {
      return weights->ReadFloat32(i * 7 % kShards, 0, std::span(values).subspan(i, 1));
    });
    ASSERT_TRUE(read) << DescribeError(read.error());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(values[i], static_cast<float>(i * 7 % kShards));
    }
  }
}

// -3 to 2 in every type of the format, unsigned ones wrapped around.
TEST(StoredWeights, OfficialSamples) {
  const auto samples = SharedData("real/parser/safetensors-samples");
  SKIP_WITHOUT(samples);
  const auto weights = Open(samples / "overall.safetensors");
  ASSERT_TRUE(weights);
  ASSERT_EQ(weights->tensors().size(), 9u);
  for (size_t i = 0; i < weights->tensors().size(); ++i) {
    const TensorInfo& tensor = weights->tensors()[i];
    if (tensor.dtype == DType::kU8) {
      EXPECT_THAT(ReadAll(*weights, i), ElementsAre(253, 254, 255, 0, 1, 2));
    } else if (tensor.dtype == DType::kU16) {
      EXPECT_THAT(ReadAll(*weights, i), ElementsAre(65533, 65534, 65535, 0, 1, 2));
    } else if (tensor.dtype == DType::kU32) {
      EXPECT_THAT(ReadAll(*weights, i),
                  ElementsAre(4294967296.0f, 4294967296.0f, 4294967296.0f, 0, 1, 2));
    } else {
      EXPECT_THAT(ReadAll(*weights, i), ElementsAre(-3, -2, -1, 0, 1, 2)) << tensor.name;
    }
    const auto alone = Open(samples / (tensor.name + ".safetensors"));
    ASSERT_TRUE(alone);
    EXPECT_EQ(ReadAll(*alone, 0), ReadAll(*weights, i));
  }
}

TEST(StoredWeights, AllNanIsReadAsItIs) {
  const auto file = SharedData("real/parser/odd/all-nan.safetensors");
  SKIP_WITHOUT(file);
  const auto weights = Open(file);
  ASSERT_TRUE(weights);
  size_t nans = 0;
  for (size_t i = 0; i < weights->tensors().size(); ++i) {
    for (const float value : ReadAll(*weights, i)) nans += std::isnan(value) ? 1 : 0;
  }
  EXPECT_GT(nans, 0u);
}

TEST(StoredWeights, RealModels) {
  const auto zoo = SharedData("zoo");
  SKIP_WITHOUT(zoo);
  size_t opened = 0;
  for (const auto& folder : std::filesystem::directory_iterator(zoo)) {
    if (!folder.is_directory()) continue;
    const auto weights = Open(folder.path());
    ASSERT_TRUE(weights) << folder.path();
    ++opened;
  }
  EXPECT_GT(opened, 50u);
  const auto architectures = SharedData("real/architectures");
  SKIP_WITHOUT(architectures);
  for (const auto& folder : std::filesystem::directory_iterator(architectures)) {
    if (!std::filesystem::exists(folder.path() / "model.safetensors")) continue;
    const auto weights = Open(folder.path());
    ASSERT_TRUE(weights) << folder.path();
    EXPECT_EQ(weights->tensors()[0].file, (folder.path() / "model.safetensors").string());
  }
}

}  // namespace
}  // namespace tensorguard::internal
