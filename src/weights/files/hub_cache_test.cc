#include "weights/files/hub_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"
#include "weights/files/weight_files.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// The file chosen, below the folder given, or the error.
std::string Chosen(const std::filesystem::path& path) {
  const auto files = FindWeightFiles(path);
  if (!files) return DescribeError(files.error());
  return files->files[0].lexically_relative(path).string();
}

// models--org--name: refs/main names the snapshot, whose files link to blobs.
struct HubFolder : ScratchFolder {
  std::filesystem::path root = path() / "models--org--name";

  void AddSnapshot(const std::string& revision) const {
    Write("models--org--name/blobs/0123abcd" + revision, "");
    std::filesystem::create_directories(root / "snapshots" / revision);
    std::filesystem::create_symlink("../../blobs/0123abcd" + revision,
                                    root / "snapshots" / revision / "model.safetensors");
  }
  void SetMain(const std::string& text) const { Write("models--org--name/refs/main", text); }
};

TEST(HubCache, FollowsMain) {
  const HubFolder cache;
  cache.AddSnapshot("aaaa");
  cache.AddSnapshot("bbbb");
  cache.SetMain("bbbb\n");
  const auto files = FindWeightFiles(cache.root);
  ASSERT_TRUE(files) << DescribeError(files.error());
  EXPECT_THAT(files->files, ElementsAre(cache.root / "snapshots/bbbb/model.safetensors"));
  EXPECT_THAT(Chosen(cache.root / "snapshots" / "aaaa"), StartsWith("model.safetensors"));
}

TEST(HubCache, WithoutMain) {
  const HubFolder cache;
  cache.AddSnapshot("aaaa");
  EXPECT_THAT(Chosen(cache.root), StartsWith("snapshots/aaaa/model.safetensors"));
  cache.AddSnapshot("bbbb");
  EXPECT_EQ(Chosen(cache.root), cache.root.string() +
                                    ": Hub cache folder holds several snapshots and no refs/main\n"
                                    "  found:    aaaa, bbbb\n"
                                    "  try:      give the path of one snapshot");
}

TEST(HubCache, WithoutItsSnapshot) {
  const HubFolder cache;
  cache.AddSnapshot("aaaa");
  cache.SetMain("cccc");
  EXPECT_EQ(Chosen(cache.root), cache.root.string() +
                                    ": snapshot that refs/main names is not there\n"
                                    "  expected: " +
                                    (cache.root / "snapshots/cccc").string() +
                                    "\n  try:      download the model again");
}

TEST(HubCache, WithoutAnySnapshot) {
  const ScratchFolder folder;
  folder.Write("blobs/abcd", "");
  std::filesystem::create_directory(folder.path() / "snapshots");
  EXPECT_THAT(Chosen(folder.path()), HasSubstr("Hub cache folder holds no snapshot"));
}

TEST(HubCache, MainIsNoPath) {
  const HubFolder cache;
  cache.AddSnapshot("aaaa");
  for (const char* revision : {"../../elsewhere", "..", ".", "", "a/b", "aaaa bbbb"}) {
    cache.SetMain(revision);
    EXPECT_THAT(Chosen(cache.root), StartsWith((cache.root / "refs/main").string() +
                                               ": reference does not name a revision\n"))
        << revision;
  }
}

TEST(HubCache, OtherFoldersAreNone) {
  const ScratchFolder folder;
  EXPECT_FALSE(*IsHubCacheFolder(folder.path()));
  folder.Write("snapshots/abcd/model.safetensors", "");
  EXPECT_FALSE(*IsHubCacheFolder(folder.path()));
  folder.Write("refs/main", "abcd");
  EXPECT_TRUE(*IsHubCacheFolder(folder.path()));
}

}  // namespace
}  // namespace tensorguard::internal
