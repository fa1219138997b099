#include "api/fingerprinting/planned_outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;

TEST(PlanOutputs, AreNamedLikeTheModels) {
  const auto full = PlanOutputs({.models = {"zoo/alder", "zoo/birch.gguf"}});
  ASSERT_TRUE(full);
  EXPECT_THAT(*full, ElementsAre("alder.fingerprint.safetensors", "birch.fingerprint.safetensors"));
  const auto paper = PlanOutputs(
      {.models = {"zoo/alder", "zoo/birch"}, .output = "prints", .profile = Profile::kPaper});
  ASSERT_TRUE(paper);
  EXPECT_THAT(*paper, ElementsAre("prints/alder_features.json", "prints/birch_features.json"));
}

TEST(PlanOutputs, OneModelMayHaveAFileOfAnyName) {
  const auto file = PlanOutputs({.models = {"zoo/alder"}, .output = "a.bin"});
  ASSERT_TRUE(file);
  EXPECT_THAT(*file, ElementsAre("a.bin"));
  const auto folder = PlanOutputs({.models = {"zoo/alder"}, .output = "a.bin/"});
  ASSERT_TRUE(folder);
  EXPECT_THAT(*folder, ElementsAre("a.bin/alder.fingerprint.safetensors"));
}

TEST(PlanOutputs, RefusesOneFileForTwoModels) {
  const auto same = PlanOutputs({.models = {"zoo/alder", "other/alder"}});
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(same.error().problem, "two models would be written to one file");
  EXPECT_EQ(same.error().expected, "different names; zoo/alder and other/alder have the same");
  const auto file = PlanOutputs({.models = {"alder", "birch"}, .output = "all.json"});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().problem, "--output names one file for several models");
}

TEST(MakeOutputFolder, MakesTheFolderThatFilesLieIn) {
  const ScratchFolder scratch;
  const std::string folder = (scratch.path() / "a/b").string();
  ASSERT_TRUE(MakeOutputFolder({.models = {"alder", "birch"}, .output = folder}));
  EXPECT_TRUE(std::filesystem::is_directory(folder));
  const std::string file = scratch.Write("file", "").string();
  const auto refused = MakeOutputFolder({.models = {"alder", "birch"}, .output = file + "/c"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kSystem);
  EXPECT_EQ(refused.error().file, file + "/c");
}

}  // namespace
}  // namespace tensorguard::internal
