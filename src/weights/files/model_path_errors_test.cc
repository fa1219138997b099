// Paths that name no model, or more than one: what is said of each.
#include "weights/files/model_path_errors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/scratch_folder.h"
#include "tests/support/zip_builder.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Folder : public ScratchFolder {
 public:
  explicit Folder(const std::vector<std::string>& names) {
    for (const std::string& name : names) Write(name, "");
  }
};

Error ErrorOf(const std::filesystem::path& path) {
  const auto weights = OpenStoredWeights(path);
  if (!weights) return weights.error();
  ADD_FAILURE() << path << " is a model";
  return {};
}

std::string Problem(const std::filesystem::path& path) { return DescribeError(ErrorOf(path)); }

const std::string kGzip("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\xAB\xAE\xE5\x02\x00", 15);

TEST(PackedModel, IsRefusedWithTheWayToUnpackIt) {
  const ScratchFolder folder;
  for (const std::string name : {"m.tar.gz", "model.safetensors", "pytorch_model.bin", "m.gguf"}) {
    const auto path = folder.Write(name, kGzip);
    EXPECT_EQ(ErrorOf(path).kind, ErrorKind::kUnsupported);
    EXPECT_EQ(ErrorOf(path).problem, "models are not read from archives") << name;
    EXPECT_THAT(Problem(path), HasSubstr("by gzip\n")) << name;
  }
  EXPECT_THAT(Problem(folder.path() / "m.tar.gz"),
              HasSubstr("  try:      unpack it (tar -xzf FILE) and give the path of what it held"));
  EXPECT_THAT(Problem(folder.Write("m.tar", "cut off")), HasSubstr("(tar -xf FILE)"));
  const auto zip = folder.Write("m.zip", BuildZip({{"m/config.json", "{}"}}));
  EXPECT_EQ(ErrorOf(zip).kind, ErrorKind::kUnsupported);
  EXPECT_THAT(Problem(zip), HasSubstr("unpack it (unzip FILE)"));
  EXPECT_THAT(Problem(folder.Write("n.zip", "cut off")), HasSubstr("unpack it (unzip FILE)"));
}

TEST(PackedModel, AloneInAFolderIsNamed) {
  for (const std::string name : {"m.zip", "m.tar", "m.tgz", "m.tar.xz", "m.tar.bz2", "m.zst",
                                 "m.7z", "m.rar", "model.safetensors.gz"}) {
    const Folder folder({"README.md", name});
    EXPECT_EQ(Problem(folder.path()),
              fmt::format("{}: folder holds no weights but what an archive may hold, which is not "
                          "read\n  found:    {}\n  expected: the model's files themselves\n"
                          "  try:      unpack it ({}) and give the path of what it held",
                          folder.path().string(), name, ArchiveOfName(name)->unpack));
  }
}

TEST(TwoModels, LongListsAreCut) {
  std::vector<std::string> names;
  for (int i = 10; i < 40; ++i) names.push_back(fmt::format("m-{}.gguf", i));
  const std::string problem = Problem(Folder(names).path());
  EXPECT_THAT(problem, HasSubstr("m-20.gguf, m-21.gguf and 18 more\n"));
  names = {std::string(200, 'a') + ".gguf", std::string(200, 'b') + ".gguf", "c.gguf"};
  EXPECT_THAT(Problem(Folder(names).path()), HasSubstr("a.gguf and 2 more\n"));
}

TEST(TwoModels, NamesAreEscaped) {
  const std::string problem = Problem(Folder({"a\x1b[31m.gguf", "b.gguf"}).path());
  EXPECT_THAT(problem, HasSubstr("a\\x1b[31m.gguf, b.gguf\n"));
  EXPECT_EQ(problem.find('\x1b'), problem.npos);
}

TEST(TwoModels, OfAnyFormat) {
  for (const std::string suffix : {"safetensors", "gguf", "bin", "pth", "npz", "onnx"}) {
    const Folder folder({"x." + suffix, "y." + suffix});
    const Error error = ErrorOf(folder.path());
    EXPECT_EQ(error.kind, ErrorKind::kUsage) << suffix;
    EXPECT_EQ(error.problem, "folder holds more than one model") << suffix;
    EXPECT_EQ(error.found, fmt::format("x.{0}, y.{0}", suffix));
    EXPECT_THAT(error.advice, HasSubstr((folder.path() / ("x." + suffix)).string()));
  }
}

TEST(NoWeights, FoldersBelowWithModelsAreListed) {
  const Folder folder({"README.md", "a/config.json", "a/model.safetensors", "b\x1b/x.gguf",
                       "c/notes.txt", "d/pytorch_model.bin.index.json", "m.zip",
                       "models--o--n/snapshots/1/config.json", "models--o--n/refs/main"});
  const std::string path = folder.path().string();
  EXPECT_EQ(Problem(folder.path()),
            path +
                ": folder holds no weights itself, but folders with weights\n"
                "  found:    a, b\\x1b, d, models--o--n\n"
                "  try:      give the path of one of them: " +
                path + "/a");
  EXPECT_EQ(ErrorOf(folder.path()).kind, ErrorKind::kUsage);
}

TEST(NoWeights, SaysWhatWasLookedFor) {
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{}, {"config.json"}, {"a/b/m.gguf"}}) {
    const Folder folder(names);
    const std::string problem = Problem(folder.path());
    EXPECT_THAT(problem, StartsWith(folder.path().string() + ": folder holds no weights\n"));
    for (const char* format : {"safetensors", "GGUF", "PyTorch", "NumPy", "ONNX"}) {
      EXPECT_THAT(problem, HasSubstr(format));
    }
    EXPECT_THAT(problem, Not(HasSubstr("m.gguf")));
  }
}

}  // namespace
}  // namespace tensorguard::internal
