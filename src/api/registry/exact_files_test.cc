// Weight files of models that registries know, byte for byte.
#include "api/registry/exact_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api/classification.h"
#include "api/reading/weight_digests.h"
#include "api/registry/registry_addition.h"
#include "api/registry/registry_search.h"
#include "fingerprint/digest/hex_text.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Stamp kNow = {.at = 1'800'000'000, .who = "tester"};
const std::string kElm = "examples/models/elm";
const std::string kHazel = "examples/models/hazel";

// Hears how many models were fingerprinted.
class CountingListener : public Listener {
 public:
  ProgressCallback ShowProgress(std::string_view label) override {
    if (label != "adding" && label != "SHA-256") ++models_;
    return {};
  }
  void EndProgress() override {}
  void Note(std::string_view) override {}
  void ReportError(const Error& error) override { ADD_FAILURE() << DescribeError(error); }

  int TakeModels() { return std::exchange(models_, 0); }

 private:
  int models_ = 0;
};

class ExactFilesOfRegistries : public testing::Test {
 protected:
  ExactFilesOfRegistries() : place_((folder_.path() / "known.tgr").string()) {
    EXPECT_TRUE(Registry::Create(place_, {}, kNow));
  }

  Session SessionWith(const PlaceOptions& options = {}) {
    return {.listener = listener_, .places = [options] { return Places::Create(options); }};
  }

  void Add(const std::string& model, bool digests, const std::string& trust = "own",
           const PlaceOptions& options = {}) {
    const auto added = AddToRegistry({.registry = place_,
                                      .models = {model},
                                      .digests = digests,
                                      .told = {.trust = trust},
                                      .stamp = kNow},
                                     SessionWith(options));
    ASSERT_TRUE(added) << DescribeError(added.error());
    ASSERT_EQ(added->added.size(), 1u);
    listener_.TakeModels();
  }

  RecognisedModel Recognised(const std::string& argument) {
    auto recognised = Recognise(argument, {place_}, {}, SessionWith());
    EXPECT_TRUE(recognised) << DescribeError(recognised.error());
    return recognised ? *std::move(recognised) : RecognisedModel();
  }

  fs::path CopyOf(const std::string& model, const std::string& name) {
    fs::copy(model, folder_.path() / name, fs::copy_options::recursive);
    return folder_.path() / name;
  }

  std::string DigestOf(const std::string& model) {
    auto listed = ListWeightFiles(model, SessionWith());
    EXPECT_TRUE(listed && listed->files.size() == 1);
    EXPECT_TRUE(MeasureSha256(listed->files.front(), SessionWith()));
    return HexOf(*listed->files.front().sha256);
  }

  ScratchFolder folder_;
  std::string place_;
  CountingListener listener_;
};

TEST_F(ExactFilesOfRegistries, AreToldAndNotReadAgain) {
  Add(kElm, true);
  Add(kHazel, true);
  const auto copy = Recognised(CopyOf(kElm, "renamed").string());
  ASSERT_EQ(copy.exact.matches.size(), 1u);
  EXPECT_TRUE(copy.exact.matches.front().whole);
  EXPECT_EQ(copy.exact.matches.front().model.name, "elm");
  EXPECT_EQ(copy.fingerprint->model_name, "renamed");
  EXPECT_EQ(listener_.TakeModels(), 0);
  EXPECT_THAT(ExactTexts(copy.exact),
              ElementsAre("The file is exactly model.safetensors of elm, byte for byte by "
                          "SHA-256."));
}

TEST_F(ExactFilesOfRegistries, AreNotThoseOfEqualLength) {
  Add(kElm, true);
  const fs::path copy = CopyOf(kElm, "changed");
  std::fstream file(copy / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-1, std::ios::end);
  const char last = static_cast<char>(file.get());
  file.seekp(-1, std::ios::end);
  file.put(static_cast<char>(last ^ 1));
  file.close();
  const auto changed = Recognised(copy.string());
  EXPECT_TRUE(changed.exact.matches.empty());
  EXPECT_EQ(listener_.TakeModels(), 1);
}

TEST_F(ExactFilesOfRegistries, AreLookedForOnlyWhereDigestsAreKept) {
  Add(kElm, false);
  EXPECT_TRUE(Recognised(kElm).exact.matches.empty());
  Add(kElm, true);  // told later
  EXPECT_EQ(Recognised(kElm).exact.matches.size(), 1u);
}

// Anybody may write any digest into an export.
TEST_F(ExactFilesOfRegistries, OfUnverifiedEntriesStandForNothing) {
  Add(kElm, true, "unverified");
  const auto found = Recognised(kElm);
  ASSERT_EQ(found.exact.matches.size(), 1u);
  EXPECT_EQ(listener_.TakeModels(), 1);
  EXPECT_THAT(ExactTexts(found.exact).front(), HasSubstr("Nobody verified that entry."));
}

TEST_F(ExactFilesOfRegistries, AreFoundByTheDigestAlone) {
  Add(kElm, true);
  Add(kHazel, false);
  const std::string digest = DigestOf(kElm);
  EXPECT_TRUE(ParseFileDigest(digest));
  EXPECT_TRUE(ParseFileDigest("sha256:" + digest));
  EXPECT_FALSE(ParseFileDigest(digest + "0"));
  EXPECT_FALSE(ParseFileDigest("g" + digest.substr(1)));
  const auto found =
      SearchRegistry({.registry = place_, .model = digest}, false, WantedKin::kAny, SessionWith());
  ASSERT_TRUE(found) << DescribeError(found.error());
  ASSERT_EQ(found->exact.matches.size(), 1u);
  EXPECT_EQ(found->exact.matches.front().model.name, "elm");
  ASSERT_EQ(found->rows.size(), 2u);
  EXPECT_EQ(found->rows.front().model.name, "elm");

  const auto classified =
      ClassifyModel({.model = "sha256:" + digest, .known = {place_}}, SessionWith());
  ASSERT_TRUE(classified) << DescribeError(classified.error());
  EXPECT_EQ(classified->best().comparison.verdict, Verdict::kIdentical);
  EXPECT_THAT(NotesOf(*classified).front(), HasSubstr("exactly model.safetensors of elm"));
}

TEST_F(ExactFilesOfRegistries, OfAnUnknownDigestAreNone) {
  Add(kElm, true);
  const std::string digest(64, 'a');
  const auto found =
      SearchRegistry({.registry = place_, .model = digest}, false, WantedKin::kAny, SessionWith());
  ASSERT_TRUE(found) << DescribeError(found.error());
  EXPECT_TRUE(found->exact.matches.empty());
  EXPECT_TRUE(found->rows.empty());
  EXPECT_EQ(found->summary.fingerprints, 1u);
  const auto classified = ClassifyModel({.model = digest, .known = {place_}}, SessionWith());
  ASSERT_FALSE(classified);
  EXPECT_EQ(classified.error().kind, ErrorKind::kNotFound);
  const auto shared = SharedPartsInRegistry({.registry = place_, .model = digest}, SessionWith());
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().problem, "no registry knows a file of this SHA-256");
}

TEST_F(ExactFilesOfRegistries, OfTheHubsCacheAreNamedByTheirDigest) {
  const ScratchFolder cache;
  const std::string digest = DigestOf(kElm);
  const fs::path repository = cache.path() / "models--org--elm";
  const fs::path snapshot = repository / "snapshots" / std::string(40, 'c');
  fs::create_directories(snapshot);
  fs::create_directories(repository / "blobs");
  fs::copy(kElm + "/model.safetensors", repository / "blobs" / digest);
  fs::create_symlink("../../blobs/" + digest, snapshot / "model.safetensors");
  for (const char* name : {"config.json", "tokenizer.json"}) {
    fs::copy(fs::path(kElm) / name, snapshot / name);
  }
  PlaceOptions options;
  options.hub_cache = cache.path();
  Add(snapshot.string(), false, "own", options);
  const auto found = Recognised(digest);
  ASSERT_EQ(found.exact.matches.size(), 1u);
  EXPECT_EQ(found.exact.matches.front().files.front().path, "model.safetensors");
}

TEST_F(ExactFilesOfRegistries, DigestsOfFingerprintsAloneAreRefused) {
  Add(kElm, false);
  const std::string other = (folder_.path() / "other.tgr").string();
  ASSERT_TRUE(Registry::Create(other, {}, kNow));
  const auto added = AddToRegistry(
      {.registry = other, .models = {place_ + "#elm"}, .digests = true}, SessionWith());
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::kUsage);
}

// A model of one registry is added to another one as it stands there.
TEST_F(ExactFilesOfRegistries, ModelsMoveBetweenRegistries) {
  Add(kElm, false);
  const std::string other = (folder_.path() / "other.tgr").string();
  ASSERT_TRUE(Registry::Create(other, {}, kNow));
  const auto added =
      AddToRegistry({.registry = other, .models = {place_}, .stamp = kNow}, SessionWith());
  ASSERT_TRUE(added) << DescribeError(added.error());
  ASSERT_EQ(added->added.size(), 1u);
  EXPECT_EQ(added->added.front().model.name, "elm");
  const auto registry = Registry::Open(place_);
  EXPECT_EQ(added->added.front().model.digest, FindModel(**registry, "elm")->digest);
}

}  // namespace
}  // namespace tensorguard::internal
