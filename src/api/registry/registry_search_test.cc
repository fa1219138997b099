#include "api/registry/registry_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "api/registry/registry_names.h"
#include "families/shortlist.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stored_fingerprints.h"

namespace tensorguard::internal {
namespace {

const Stamp kNow = {.at = 1'800'000'000, .who = "tester"};

class RegistryShortlists : public testing::Test {
 protected:
  RegistryShortlists() : place_((folder_.path() / "known.tgr").string()) {
    auto made = Registry::Create(place_, {}, kNow);
    EXPECT_TRUE(made);
    registry_ = *std::move(made);
  }

  ModelRecord Add(const ToyModel& toy) {
    const auto prepared = PrepareFingerprint(BytesOfToy(toy), toy.name);
    EXPECT_TRUE(prepared);
    auto added = AddModel(*registry_, *prepared, {.name = toy.name}, kNow);
    EXPECT_TRUE(added);
    return added->model;
  }

  ScratchFolder folder_;
  std::string place_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryShortlists, TakeAllOfFewAndTheNearestOfMany) {
  for (uint32_t seed = 1; seed <= 20; ++seed) Add(SmallToy(seed));
  const ToyModel copy = Noised(SmallToy(7), 0.3, 99);
  const Fingerprint unknown = FingerprintOf(copy);
  auto searcher = Searcher::Load(*registry_);
  ASSERT_TRUE(searcher);
  auto shortlist = ShortlistOfRegistry(*registry_, *searcher, unknown, 1);
  ASSERT_TRUE(shortlist) << DescribeError(shortlist.error());
  EXPECT_EQ(shortlist->models.size(), 20u);
  EXPECT_EQ(shortlist->summary.fingerprints, 20u);

  // Rows of strangers without a file, as if they were there.
  Database& database = registry_->database();
  const SearchVector vector = PreparedToy(3).vector;
  ASSERT_TRUE(database.InTransaction([&]() -> Result<void> {
    for (int64_t i = 1000; i < 1300; ++i) {
      std::array<int64_t, 4> digest = {i, 0, 0, 0};
      EXPECT_TRUE(
          database.Run("INSERT INTO fingerprint (id, digest, profile, version, bytes, "
                       "architecture, parameters, layers) "
                       "VALUES ($1, $2, 'full', 4, 0, '', 0, 0)",
                       {i, std::as_bytes(std::span(digest))}));
      EXPECT_TRUE(database.Run("INSERT INTO signature (fingerprint, content) VALUES ($1, $2)",
                               {i, std::as_bytes(std::span(PreparedToy(3).signature))}));
      EXPECT_TRUE(database.Run(
          "INSERT INTO search_vector (fingerprint, version, content) VALUES ($1, 1, $2)",
          {i, std::as_bytes(std::span(vector.numbers))}));
    }
    return {};
  }));
  shortlist = ShortlistOfRegistry(*registry_, *searcher, unknown, 2);
  ASSERT_TRUE(shortlist) << DescribeError(shortlist.error());
  EXPECT_EQ(shortlist->summary.fingerprints, 320u);
  ASSERT_FALSE(shortlist->models.empty());
  EXPECT_EQ(shortlist->models.front().name, "toy7");
  EXPECT_LE(shortlist->models.size(), kLongestShortlist);
}

TEST_F(RegistryShortlists, CountFamiliesByWhatWasMeasured) {
  const ModelRecord a = Add(SmallToy(1));
  const ModelRecord b = Add(SmallToy(2));
  const ModelRecord c = Add(SmallToy(3));
  const auto families = [&] { return *CountFamilies(*registry_, 3); };
  EXPECT_EQ(families(), 3u);
  ASSERT_TRUE(RelateModels(*registry_, b, a, {}, kNow));  // said, not measured
  EXPECT_EQ(families(), 3u);
  ASSERT_TRUE(RelateModels(*registry_, b, a, {.kind = "independent", .measured = true}, kNow));
  EXPECT_EQ(families(), 3u);
  ASSERT_TRUE(RelateModels(*registry_, b, a, {.measured = true}, kNow));
  EXPECT_EQ(families(), 2u);
  ASSERT_TRUE(RelateModels(*registry_, a, b, {.measured = true}, kNow));
  ASSERT_TRUE(RelateModels(*registry_, c, b, {.measured = true}, kNow));
  EXPECT_EQ(families(), 1u);
}

// What is read after the file is gone is read through the connection that was made first.
TEST_F(RegistryShortlists, RegistriesAreOpenedOnce) {
  Add(SmallToy(1));
  OpenRegistries registries;
  ASSERT_TRUE(registries.Open(place_));
  std::filesystem::remove(place_);
  EXPECT_TRUE(StoredFingerprint({.registry = place_, .model = "#1"}, registries));
  EXPECT_TRUE(registries.Open(place_));
  OpenRegistries others;
  EXPECT_EQ(others.Open(place_).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(others.Open(place_).error().kind, ErrorKind::kNotFound);  // a failure is not kept
}

TEST_F(RegistryShortlists, ModelsAreNamedBehindTheirRegistry) {
  Add(SmallToy(1));
  const auto stored = ParseStoredModelName(place_ + "#toy1");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->registry, place_);
  EXPECT_EQ(stored->model, "toy1");
  OpenRegistries registries;
  EXPECT_TRUE(StoredFingerprint(*stored, registries));
  const auto names = StoredModelNames(place_, registries);
  ASSERT_TRUE(names);
  EXPECT_THAT(*names, testing::ElementsAre(place_ + "##1"));
  EXPECT_EQ(ParseStoredModelName(names->front())->model, "#1");
  EXPECT_FALSE(ParseStoredModelName(place_));
  EXPECT_FALSE(ParseStoredModelName(place_ + "#"));
  EXPECT_FALSE(ParseStoredModelName("nothing#toy1"));
}

}  // namespace
}  // namespace tensorguard::internal
