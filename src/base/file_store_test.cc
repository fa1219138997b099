#include "base/file_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;

TEST(LocalFiles, TellsFilesFromFolders) {
  const ScratchFolder folder;
  const auto file = folder.Write("a", "text");
  const auto missing = folder.path() / "none";
  const FileStore& files = *LocalFiles();
  EXPECT_TRUE(*files.Exists(file));
  EXPECT_TRUE(*files.Exists(folder.path()));
  EXPECT_FALSE(*files.Exists(missing));
  EXPECT_FALSE(*files.IsFolder(file));
  EXPECT_TRUE(*files.IsFolder(folder.path()));
  EXPECT_FALSE(*files.IsFolder(missing));
}

TEST(LocalFiles, ListsWhatIsThereWhateverIsLikely) {
  const ScratchFolder folder;
  folder.Write("b", "");
  folder.Write("a", "");
  std::filesystem::create_directory(folder.path() / "below");
  std::filesystem::create_symlink("nowhere", folder.path() / "broken");
  const std::vector<std::string> likely = {"a", "z"};
  EXPECT_THAT(*LocalFiles()->FilesIn(folder.path(), likely), ElementsAre("a", "b", "broken"));
  EXPECT_THAT(*LocalFiles()->FoldersIn(folder.path()), ElementsAre("below"));
  EXPECT_EQ(LocalFiles()->FilesIn(folder.path() / "none").error().kind, ErrorKind::kSystem);
}

TEST(LocalFiles, ReadsSmallFiles) {
  const ScratchFolder folder;
  const auto file = folder.Write("a", "text");
  EXPECT_EQ(*ReadSmallFile(*LocalFiles(), file, 4), "text");
  EXPECT_EQ(ReadSmallFile(*LocalFiles(), file, 3).error().problem,
            "file is too large for what it should hold");
  EXPECT_EQ(ReadSmallFile(*LocalFiles(), folder.path() / "none", 3).error().kind,
            ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tensorguard::internal
