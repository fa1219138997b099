// Which files are chosen, and that every folder that cannot be a whole model is refused with its
// reason.
#include "weights/weight_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "weights/hub_cache.h"

namespace tensorguard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// A folder of empty files; the choice depends on names and the index alone.
class Folder : public ScratchFolder {
 public:
  explicit Folder(const std::vector<std::string>& names) {
    for (const std::string& name : names) Write(name, "");
  }
  const Folder& WithIndex(const std::string& weight_map,
                          const std::string& name = "model.safetensors.index.json") const {
    Write(name, R"({"metadata": {}, "weight_map": )" + weight_map + "}");
    return *this;
  }
};

std::vector<std::string> Chosen(const std::filesystem::path& path) {
  const auto files = FindWeightFiles(path);
  if (!files) return {DescribeError(files.error())};
  std::vector<std::string> names;
  for (const auto& file : files->files) names.push_back(file.filename().string());
  return names;
}

std::string Problem(const std::filesystem::path& path) {
  const auto files = FindWeightFiles(path);
  return files ? "no error" : DescribeError(files.error());
}

constexpr const char* kWhatIsRead =
    "  expected: safetensors: one file, numbered shards (model-00001-of-00003.safetensors), or an "
    "index (model.safetensors.index.json) and its shards";

TEST(WeightFiles, OneFile) {
  const Folder folder({"config.json", "model.safetensors", "tokenizer.json"});
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("model.safetensors"));
  EXPECT_THAT(Chosen(folder.path() / "model.safetensors"), ElementsAre("model.safetensors"));
}

TEST(WeightFiles, OneFileOfAnyName) {
  EXPECT_THAT(Chosen(Folder({"weights.v2.safetensors"}).path()),
              ElementsAre("weights.v2.safetensors"));
  EXPECT_THAT(Chosen(Folder({"adapter_model.safetensors"}).path()),
              ElementsAre("adapter_model.safetensors"));
  EXPECT_THAT(Chosen(Folder({"0000600_adapters.safetensors"}).path()),
              ElementsAre("0000600_adapters.safetensors"));
}

TEST(WeightFiles, NumberedShardsWithoutIndex) {
  EXPECT_THAT(
      Chosen(
          Folder({"model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"}).path()),
      ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"));
  EXPECT_THAT(Chosen(Folder({"w-0-of-2.safetensors", "w-1-of-2.safetensors"}).path()),
              ElementsAre("w-0-of-2.safetensors", "w-1-of-2.safetensors"));
}

TEST(WeightFiles, TheMainModelIsChosenAmongOthers) {
  EXPECT_THAT(Chosen(Folder({"golden.safetensors", "model.safetensors", "mtp.safetensors"}).path()),
              ElementsAre("model.safetensors"));
  EXPECT_THAT(Chosen(Folder({"model-1-of-1.safetensors", "mtp.safetensors",
                             "consolidated-1-of-3.safetensors"})
                         .path()),
              ElementsAre("model-1-of-1.safetensors"));
  EXPECT_THAT(Chosen(Folder({"model_1-of-1.safetensors", "x.safetensors"}).path()),
              ElementsAre("model_1-of-1.safetensors"));
}

TEST(WeightFiles, AdaptersAndFingerprintsBesideAModelDoNotCount) {
  EXPECT_THAT(Chosen(Folder({"adapter_model.safetensors", "x.safetensors", "y_adapters.safetensors",
                             "x.fingerprint.safetensors"})
                         .path()),
              ElementsAre("x.safetensors"));
  EXPECT_THAT(Chosen(Folder({"adapter_model.safetensors", "x-1-of-1.safetensors"}).path()),
              ElementsAre("x-1-of-1.safetensors"));
  EXPECT_THAT(Problem(Folder({"x.fingerprint.safetensors"}).path()),
              HasSubstr("folder holds no weights"));
}

TEST(WeightFiles, OtherPrecisionsInOneFolderAreNotGuessed) {
  const Folder folder({"x.fp16.safetensors", "x.safetensors"});
  EXPECT_EQ(Problem(folder.path()), folder.path().string() +
                                        ": folder holds more than one model\n"
                                        "  found:    x.fp16.safetensors, x.safetensors\n"
                                        "  try:      give the path of one weight file or index");
}

TEST(WeightFiles, LongListsAreCut) {
  EXPECT_THAT(Problem(Folder({"a.safetensors", "b.safetensors", "c.safetensors", "d.safetensors",
                              "e.safetensors", "f.safetensors", "g.safetensors"})
                          .path()),
              HasSubstr("found:    a.safetensors, b.safetensors, c.safetensors, d.safetensors, "
                        "e.safetensors and 2 more\n"));
}

TEST(WeightFiles, ASetAndAFileOfOtherNamesAreNotGuessed) {
  EXPECT_THAT(
      Problem(Folder({"x-1-of-2.safetensors", "x-2-of-2.safetensors", "y.safetensors"}).path()),
      HasSubstr("folder holds more than one model"));
}

TEST(WeightFiles, APartWithoutNumberIsNotLeftOut) {
  EXPECT_THAT(Problem(Folder({"model-1-of-1.safetensors", "model-vision.safetensors"}).path()),
              HasSubstr("folder holds more than one model\n"
                        "  found:    model-1-of-1.safetensors, model-vision.safetensors\n"));
  EXPECT_THAT(Problem(Folder({"model.safetensors", "model-vision.safetensors"}).path()),
              HasSubstr("folder holds more than one model\n"));
}

TEST(WeightFiles, TheSameModelWholeAndInShardsIsRefused) {
  EXPECT_THAT(
      Problem(Folder({"model.safetensors", "model-1-of-2.safetensors", "model-2-of-2.safetensors"})
                  .path()),
      HasSubstr("folder holds more than one model\n"
                "  found:    model.safetensors, model-1-of-2.safetensors\n"));
}

TEST(WeightFiles, MissingShardWithoutIndex) {
  const Folder folder({"model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors"});
  EXPECT_EQ(Problem(folder.path()),
            folder.path().string() +
                ": shards are missing\n"
                "  found:    2 of 3 shards, without number 2\n"
                "  try:      fetch the model again; the download was probably cut short");
}

TEST(WeightFiles, ContradictoryShardsWithoutIndex) {
  EXPECT_THAT(Problem(Folder({"model-1-of-2.safetensors", "model-2-of-2.safetensors",
                              "model-3-of-3.safetensors"})
                          .path()),
              HasSubstr("shards disagree on how many there are"));
  EXPECT_THAT(Problem(Folder({"model-1-of-2.safetensors", "model_2-of-2.safetensors"}).path()),
              HasSubstr("shards of two sets lie in one folder"));
}

TEST(WeightFiles, OneShardIsNoModel) {
  const Folder folder({"model-00001-of-00003.safetensors", "whole-1-of-1.safetensors"});
  const auto file = folder.path() / "model-00001-of-00003.safetensors";
  EXPECT_EQ(Problem(file), file.string() +
                               ": one shard of 3, not a whole model\n"
                               "  try:      give the path of the folder");
  EXPECT_THAT(Chosen(folder.path() / "whole-1-of-1.safetensors"),
              ElementsAre("whole-1-of-1.safetensors"));
}

TEST(WeightFiles, IndexAndItsShards) {
  const Folder folder({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
  folder.WithIndex(R"({"a": "model-00001-of-00002.safetensors",
                       "b": "model-00002-of-00002.safetensors"})");
  const auto files = FindWeightFiles(folder.path());
  ASSERT_TRUE(files) << DescribeError(files.error());
  ASSERT_TRUE(files->index);
  EXPECT_EQ(files->index->tensors.size(), 2u);
  EXPECT_THAT(Chosen(folder.path()),
              ElementsAre("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"));
  EXPECT_EQ(Chosen(folder.path() / "model.safetensors.index.json"), Chosen(folder.path()));
}

TEST(WeightFiles, IndexOfOneFile) {
  const Folder folder({"model.safetensors"});
  EXPECT_THAT(Chosen(folder.WithIndex(R"({"a": "model.safetensors"})").path()),
              ElementsAre("model.safetensors"));
}

TEST(WeightFiles, IndexNamesShardsOfAnyName) {
  const Folder folder(
      {"model-00001-of-00001.safetensors", "model-vision.safetensors", "sub/model-x.safetensors"});
  folder.WithIndex(R"({"a": "model-00001-of-00001.safetensors", "b": "model-vision.safetensors",
                       "c": "sub/model-x.safetensors"})");
  EXPECT_EQ(Chosen(folder.path()).size(), 3u);
}

TEST(WeightFiles, IndexOfAnyStem) {
  const Folder folder({"diffusion_pytorch_model-1-of-1.safetensors"});
  folder.WithIndex(R"({"a": "diffusion_pytorch_model-1-of-1.safetensors"})",
                   "diffusion_pytorch_model.safetensors.index.json");
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("diffusion_pytorch_model-1-of-1.safetensors"));
}

TEST(WeightFiles, MissingShardOfTheIndex) {
  const Folder folder({"model-1-of-3.safetensors"});
  folder.WithIndex(R"({"a": "model-1-of-3.safetensors", "b": "model-2-of-3.safetensors",
                       "c": "model-3-of-3.safetensors"})");
  EXPECT_EQ(Problem(folder.path()),
            (folder.path() / "model.safetensors.index.json").string() +
                ": shards that the index names are missing\n"
                "  found:    2 of 3 missing: model-2-of-3.safetensors, model-3-of-3.safetensors\n"
                "  try:      fetch the model again; the download was probably cut short");
  EXPECT_EQ(FindWeightFiles(folder.path()).error().kind, ErrorKind::kNotFound);
}

TEST(WeightFiles, ExtraShardBesideTheIndex) {
  for (const char* extra : {"model-3-of-2.safetensors", "model-1-of-3.safetensors",
                            "model-00001-of-00002.safetensors"}) {
    const Folder folder({"model-1-of-2.safetensors", "model-2-of-2.safetensors", extra});
    folder.WithIndex(R"({"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"})");
    EXPECT_EQ(Problem(folder.path()),
              (folder.path() / "model.safetensors.index.json").string() +
                  ": shard lies beside the index, but the index does not name it\n"
                  "  found:    " +
                  extra +
                  "\n  expected: 2 shards: model-1-of-2.safetensors, model-2-of-2.safetensors\n"
                  "  try:      remove the file if it belongs to another version of the model");
  }
}

TEST(WeightFiles, OtherFilesBesideTheIndexAreNotTheModel) {
  const Folder folder({"model-1-of-1.safetensors", "mtp.safetensors", "consolidated.safetensors",
                       "consolidated-1-of-9.safetensors", "adapter_model.safetensors",
                       "pytorch_model.bin", "model.gguf"});
  EXPECT_THAT(Chosen(folder.WithIndex(R"({"a": "model-1-of-1.safetensors"})").path()),
              ElementsAre("model-1-of-1.safetensors"));
}

TEST(WeightFiles, AFileThatTheIndexContradicts) {
  const Folder folder({"model-1-of-1.safetensors", "model.safetensors"});
  folder.WithIndex(R"({"a": "model-1-of-1.safetensors"})");
  EXPECT_EQ(Problem(folder.path()),
            folder.path().string() +
                ": folder holds more than one model\n"
                "  found:    model.safetensors, model.safetensors.index.json\n"
                "  try:      give the path of one weight file or index");
  EXPECT_THAT(Chosen(folder.path() / "model.safetensors.index.json"),
              ElementsAre("model-1-of-1.safetensors"));
  EXPECT_THAT(Chosen(folder.path() / "model.safetensors"), ElementsAre("model.safetensors"));
}

TEST(WeightFiles, TwoIndexes) {
  const Folder folder({"a-1-of-1.safetensors", "b-1-of-1.safetensors"});
  folder.WithIndex(R"({"t": "a-1-of-1.safetensors"})", "a.safetensors.index.json");
  folder.WithIndex(R"({"t": "b-1-of-1.safetensors"})", "b.safetensors.index.json");
  EXPECT_THAT(Problem(folder.path()),
              HasSubstr("folder holds more than one model\n"
                        "  found:    a.safetensors.index.json, b.safetensors.index.json\n"));
  EXPECT_THAT(Chosen(folder.path() / "b.safetensors.index.json"),
              ElementsAre("b-1-of-1.safetensors"));

  folder.Write("model-1-of-1.safetensors", "");
  folder.WithIndex(R"({"t": "model-1-of-1.safetensors"})");
  EXPECT_THAT(Chosen(folder.path()), ElementsAre("model-1-of-1.safetensors"));
}

TEST(WeightFiles, BadIndexesNameTheirFile) {
  const Folder folder({"model-1-of-1.safetensors"});
  folder.WithIndex(R"({"t": "../model-1-of-1.safetensors"})");
  EXPECT_THAT(Problem(folder.path()),
              StartsWith((folder.path() / "model.safetensors.index.json").string() +
                         ": tensor \"t\": index names a file outside of its folder\n"));
}

TEST(WeightFiles, OtherFormatsAreNamed) {
  const Folder folder({"config.json", "pytorch_model-1-of-2.bin", "pytorch_model-2-of-2.bin",
                       "model.gguf", "training_args.bin"});
  EXPECT_EQ(Problem(folder.path()),
            folder.path().string() +
                ": weights are in a format that is not read\n"
                "  found:    model.gguf (GGUF), pytorch_model-1-of-2.bin (PyTorch), "
                "pytorch_model-2-of-2.bin (PyTorch)\n" +
                kWhatIsRead + "\n  try:      save the model as safetensors first");
  EXPECT_EQ(FindWeightFiles(folder.path()).error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(Problem(folder.path() / "model.gguf"),
              StartsWith((folder.path() / "model.gguf").string() +
                         ": weights are in a format that is not read\n"
                         "  found:    GGUF\n"));
}

TEST(WeightFiles, OtherFormatsAreKnownByTheirBytes) {
  const ScratchFolder folder;
  EXPECT_THAT(Problem(folder.Write("weights", "GGUF\x03_more")), HasSubstr("  found:    GGUF\n"));
  EXPECT_THAT(Problem(folder.Write("model.safetensors", "PK\x03\x04\x14_more")),
              HasSubstr("  found:    a zip file, as PyTorch and NumPy write\n"));
}

TEST(WeightFiles, NothingThere) {
  const Folder folder({"config.json", "README.md"});
  EXPECT_EQ(Problem(folder.path()),
            folder.path().string() + ": folder holds no weights\n" + kWhatIsRead);
  EXPECT_EQ(FindWeightFiles(folder.path()).error().kind, ErrorKind::kNotFound);
  const auto missing = folder.path() / "missing";
  EXPECT_EQ(Problem(missing), missing.string() + ": no such file or folder");
  EXPECT_EQ(FindWeightFiles(missing).error().kind, ErrorKind::kNotFound);
}

TEST(WeightFiles, FoldersWithWeightNamesAreNotFiles) {
  const Folder folder({"model.safetensors/part"});
  EXPECT_THAT(Problem(folder.path()), HasSubstr("folder holds no weights"));
}

// models--org--name: refs/main names the snapshot, whose files link to blobs.
struct HubCache : ScratchFolder {
  std::filesystem::path root = path() / "models--org--name";

  void AddSnapshot(const std::string& revision) const {
    Write("models--org--name/blobs/0123abcd" + revision, "");
    std::filesystem::create_directories(root / "snapshots" / revision);
    std::filesystem::create_symlink("../../blobs/0123abcd" + revision,
                                    root / "snapshots" / revision / "model.safetensors");
  }
  void SetMain(const std::string& text) const { Write("models--org--name/refs/main", text); }
};

TEST(WeightFiles, HubCacheFollowsMain) {
  const HubCache cache;
  cache.AddSnapshot("aaaa");
  cache.AddSnapshot("bbbb");
  cache.SetMain("bbbb\n");
  const auto files = FindWeightFiles(cache.root);
  ASSERT_TRUE(files) << DescribeError(files.error());
  EXPECT_THAT(files->files, ElementsAre(cache.root / "snapshots/bbbb/model.safetensors"));
  EXPECT_THAT(Chosen(cache.root / "snapshots" / "aaaa"), ElementsAre("model.safetensors"));
}

TEST(WeightFiles, HubCacheWithoutMain) {
  const HubCache cache;
  cache.AddSnapshot("aaaa");
  EXPECT_THAT(Chosen(cache.root), ElementsAre("model.safetensors"));
  cache.AddSnapshot("bbbb");
  EXPECT_EQ(Problem(cache.root), cache.root.string() +
                                     ": Hub cache folder holds several snapshots and no refs/main\n"
                                     "  found:    aaaa, bbbb\n"
                                     "  try:      give the path of one snapshot");
}

TEST(WeightFiles, HubCacheWithoutItsSnapshot) {
  const HubCache cache;
  cache.AddSnapshot("aaaa");
  cache.SetMain("cccc");
  EXPECT_EQ(Problem(cache.root), cache.root.string() +
                                     ": snapshot that refs/main names is not there\n"
                                     "  expected: " +
                                     (cache.root / "snapshots/cccc").string() +
                                     "\n  try:      download the model again");
}

TEST(WeightFiles, HubCacheWithoutAnySnapshot) {
  const ScratchFolder folder;
  folder.Write("blobs/abcd", "");
  std::filesystem::create_directory(folder.path() / "snapshots");
  EXPECT_THAT(Problem(folder.path()), HasSubstr("Hub cache folder holds no snapshot"));
}

TEST(WeightFiles, HubCacheMainIsNoPath) {
  const HubCache cache;
  cache.AddSnapshot("aaaa");
  for (const char* revision : {"../../elsewhere", "..", ".", "", "a/b", "aaaa bbbb"}) {
    cache.SetMain(revision);
    EXPECT_THAT(Problem(cache.root), StartsWith((cache.root / "refs/main").string() +
                                                ": reference does not name a revision\n"))
        << revision;
  }
}

TEST(WeightFiles, ABlobThatWasNotFetched) {
  const Folder folder({"model-1-of-2.safetensors"});
  std::filesystem::create_symlink("../blobs/none", folder.path() / "model-2-of-2.safetensors");
  folder.WithIndex(R"({"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"})");
  EXPECT_THAT(Problem(folder.path()),
              HasSubstr("found:    1 of 2 missing: model-2-of-2.safetensors"));
}

TEST(WeightFiles, EveryPublishedLayoutIsAccepted) {
  const auto layouts = SharedData("real/layouts");
  SKIP_WITHOUT(layouts);
  size_t accepted = 0;
  for (const auto& layout : std::filesystem::directory_iterator(layouts)) {
    const auto index = layout.path() / "model.safetensors.index.json";
    if (!std::filesystem::exists(index)) continue;
    const ScratchFolder folder;
    std::filesystem::copy_file(index, folder.path() / index.filename());
    const auto parsed = ReadShardIndex(index);
    ASSERT_TRUE(parsed);
    for (const std::string& shard : parsed->shards) folder.Write(shard, "");
    const auto files = FindWeightFiles(folder.path());
    ASSERT_TRUE(files) << DescribeError(files.error());
    EXPECT_EQ(files->files.size(), parsed->shards.size());

    // The same shards without their index: numbered ones still say whether they are all there.
    std::filesystem::remove(folder.path() / index.filename());
    const auto without_index = FindWeightFiles(folder.path());
    const bool has_unnumbered_part = layout.path().filename() == "qwen3.5-27b-mlx-4bit-mtp";
    EXPECT_EQ(static_cast<bool>(without_index), !has_unnumbered_part) << layout.path();
    ++accepted;
  }
  EXPECT_GT(accepted, 40u);
}

}  // namespace
}  // namespace tensorguard
