#include "formats/shard_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

std::string Problem(const std::string& text) {
  const auto json = ParseJson(text);
  if (!json) return DescribeError(json.error());
  const auto index = ShardIndexFromJson(*json, ReadableFormats()[0]);
  return index ? "no error" : DescribeError(index.error());
}

TEST(ShardIndex, GivesShardsAndTensorsSorted) {
  const auto index = ShardIndexFromJson(*ParseJson(
                                            R"({"metadata": {"total_size": 13731385408.0},
          "weight_map": {"c": "b.safetensors", "a": "sub/a.safetensors", "b": "b.safetensors"}})"),
                                        ReadableFormats()[0]);
  ASSERT_TRUE(index);
  EXPECT_THAT(index->shards, testing::ElementsAre("b.safetensors", "sub/a.safetensors"));
  ASSERT_EQ(index->tensors.size(), 3u);
  EXPECT_EQ(index->tensors[0].name, "a");
  EXPECT_EQ(index->tensors[0].shard, 1u);
  EXPECT_EQ(index->tensors[2].name, "c");
  EXPECT_EQ(index->tensors[2].shard, 0u);
}

TEST(ShardIndex, MetadataMayBeAnything) {
  for (const char* metadata : {"{}", "null", "3", R"({"total_size": 0})", R"({"total_size": -1.5})",
                               R"({"total_size": "many", "total_parameters": []})"}) {
    EXPECT_EQ(Problem(std::string(R"({"weight_map": {"a": "a.safetensors"}, "metadata": )") +
                      metadata + "}"),
              "no error");
  }
}

TEST(ShardIndex, NeedsAWeightMap) {
  for (const char* text : {"[]", "null", "3", R"("weight_map")", "{}", R"({"weight_map": []})",
                           R"({"weight_map": null})", R"({"Weight_map": {"a": "b"}})"}) {
    EXPECT_EQ(Problem(text),
              "index has no weight_map\n"
              "  expected: \"weight_map\": {\"TENSOR\": \"FILE.safetensors\", ...}")
        << text;
  }
  EXPECT_THAT(Problem(R"({"weight_map": {}})"), testing::StartsWith("index names no tensors\n"));
}

TEST(ShardIndex, NamesFilesInItsFolderOnly) {
  for (const char* file :
       {"../model.safetensors", "/etc/model.safetensors", "a/../../model.safetensors", "..", "",
        ".", "a//model.safetensors", "./model.safetensors", "a/", "/", "a/./model.safetensors"}) {
    EXPECT_EQ(Problem(Json{{"weight_map", {{"w", file}}}}.dump()),
              std::string("tensor \"w\": index names a file outside of its folder\n") +
                  (*file == 0 ? "" : std::string("  found:    ") + file + "\n") +
                  "  expected: a file name, or a path below the folder without \"..\"")
        << file;
  }
}

// Read by the system, the name would end at the zero byte.
TEST(ShardIndex, RefusesControlCharactersInFileNames) {
  EXPECT_THAT(Problem(R"({"weight_map": {"w": "secret\u0000.safetensors"}})"),
              testing::StartsWith("tensor \"w\": index names a file outside of its folder\n"
                                  "  found:    secret\\x00.safetensors"));
  EXPECT_THAT(Problem(R"({"weight_map": {"w": "a\nb.safetensors"}})"),
              testing::HasSubstr("a\\x0ab.safetensors"));
}

TEST(ShardIndex, DotsInsideANameAreFine) {
  EXPECT_EQ(Problem(R"({"weight_map": {"w": "..model..v2...safetensors"}})"), "no error");
}

TEST(ShardIndex, ShardsMustBeSafetensors) {
  EXPECT_EQ(Problem(R"({"weight_map": {"w": "pytorch_model-00001-of-00002.bin"}})"),
            "tensor \"w\": index names a file that is not safetensors\n"
            "  found:    pytorch_model-00001-of-00002.bin\n"
            "  expected: a name that ends in .safetensors");
}

TEST(ShardIndex, FileNamesMustBeText) {
  EXPECT_EQ(Problem(R"({"weight_map": {"v": "a.safetensors", "w": ["a.safetensors"]}})"),
            "tensor \"w\": index does not name the tensor's file\n"
            "  found:    array\n"
            "  expected: \"weight_map\": {\"TENSOR\": \"FILE.safetensors\", ...}");
}

TEST(ShardIndex, DuplicateTensorsAreRefused) {
  EXPECT_THAT(Problem(R"({"weight_map": {"w": "a.safetensors", "w": "b.safetensors"}})"),
              testing::HasSubstr("key occurs twice in one JSON object"));
}

TEST(ShardIndex, ReadNamesTheFile) {
  const ScratchFolder folder;
  const auto file = folder.Write("model.safetensors.index.json", R"({"weight_map": {}})");
  const auto index = ReadShardIndex(file);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().file, file.string());
  EXPECT_EQ(index.error().kind, ErrorKind::kBadFile);
}

TEST(ShardIndex, ReadsEveryPublishedIndex) {
  const auto layouts = SharedData("real/layouts");
  SKIP_WITHOUT(layouts);
  size_t read = 0;
  for (const auto& folder : std::filesystem::directory_iterator(layouts)) {
    const auto file = folder.path() / "model.safetensors.index.json";
    if (!std::filesystem::exists(file)) continue;
    const auto index = ReadShardIndex(file);
    ASSERT_TRUE(index) << DescribeError(index.error());
    EXPECT_FALSE(index->shards.empty());
    ++read;
  }
  EXPECT_GT(read, 40u);
}

TEST(ShardIndex, RefusesThePublishedBrokenOnes) {
  const auto malformed = SharedData("real/layouts/malformed");
  SKIP_WITHOUT(malformed);
  const auto problem = [&](const char* name) {
    const auto index = ReadShardIndex(malformed / name);
    return index ? "no error" : index.error().problem;
  };
  EXPECT_EQ(problem("merge-conflict/model.safetensors.index.json"), "not valid JSON");
  EXPECT_EQ(problem("empty-weight-map/model.safetensors.index.json"), "index names no tensors");
  EXPECT_EQ(problem("lfs-pointer/pytorch_model.bin.index.json"),
            "a Git LFS pointer, not the file itself");
}

}  // namespace
}  // namespace tensorguard::internal
