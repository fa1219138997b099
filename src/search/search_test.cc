#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fingerprint/sketches/probe_numbers.h"
#include "registry/models.h"
#include "search/searcher.h"
#include "search/shared_parts.h"
#include "search/vector_table.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stored_fingerprints.h"

namespace tensorguard::internal {
namespace {

const Stamp kNow = {.at = 1'800'000'000, .who = "tester"};

SearchVector RandomVector(uint64_t seed) {
  std::vector<int8_t> numbers(2 * kSearchNumbers);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int8_t>(static_cast<int64_t>(RandomBits(seed, i)) >> 57);
  }
  // Some models have no feed-forward that answers.
  if (seed % 5 == 0) std::fill_n(numbers.begin() + 128, 64, int8_t{0});
  if (seed % 5 == 0) std::fill_n(numbers.begin() + 256 + 128, 64, int8_t{0});
  return SearchVectorOf(ScreeningSignature(std::move(numbers)));
}

TEST(VectorTable, GivesWhatThePlainWayGives) {
  VectorTable table;
  constexpr size_t kCount = 40'000;  // several batches, the last one not whole
  for (size_t i = 0; i < kCount; ++i) {
    table.Add(static_cast<int64_t>(3 * i), RandomVector(i % 30'000));  // some are equal
  }
  table.Remove(3 * 77);
  table.Remove(1);  // is not there
  EXPECT_EQ(table.size(), kCount - 1);
  for (const uint64_t seed : {1ull, 5ull, 123'456'789ull}) {
    const SearchVector query = RandomVector(seed);
    for (const size_t count : {size_t{1}, size_t{1000}}) {
      const auto plain = table.NearestPlainly(query, count);
      ASSERT_EQ(plain.size(), count);
      for (const unsigned threads : {1u, 2u, 5u}) {
        const auto fast = table.Nearest(query, count, threads);
        ASSERT_EQ(fast.size(), count);
        for (size_t i = 0; i < count; ++i) {
          ASSERT_EQ(fast[i].fingerprint, plain[i].fingerprint) << i;
          ASSERT_EQ(fast[i].score, plain[i].score) << i;
        }
      }
    }
  }
  EXPECT_EQ(table.Nearest(RandomVector(1), 50'000).size(), kCount - 1);
  EXPECT_TRUE(VectorTable().Nearest(RandomVector(1), 10).empty());
}

TEST(SearchVector, StaysWhereLayersAreDroppedAndReordered) {
  std::vector<int8_t> numbers(8 * kSearchNumbers);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int8_t>(static_cast<int64_t>(RandomBits(9, i)) >> 57);
  }
  const SearchVector whole = SearchVectorOf(ScreeningSignature(numbers));
  std::vector<int8_t> reordered = numbers;
  std::rotate(reordered.begin(), reordered.begin() + 2 * kSearchNumbers, reordered.end());
  EXPECT_NEAR(SearchScore(whole, SearchVectorOf(ScreeningSignature(reordered))), 1, 0.001);
  numbers.resize(6 * kSearchNumbers);
  EXPECT_GT(SearchScore(whole, SearchVectorOf(ScreeningSignature(numbers))), 0.8);
  EXPECT_LT(SearchScore(whole, RandomVector(4)), 0.2);
  EXPECT_EQ(SearchScore(whole, SearchVectorOf(ScreeningSignature({}))), 0);
}

TEST(SearchVector, IsReadFromItsNumbersAlone) {
  const SearchVector vector = RandomVector(3);
  const auto read = SearchVectorFrom(std::as_bytes(std::span(vector.numbers)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->inverse_norms, vector.inverse_norms);
  EXPECT_FALSE(SearchVectorFrom(std::as_bytes(std::span(vector.numbers)).first(255)));
}

class RegistrySearch : public testing::Test {
 protected:
  RegistrySearch() {
    auto made = Registry::Create((folder_.path() / "known.tgr").string(), {}, kNow);
    EXPECT_TRUE(made);
    registry_ = *std::move(made);
  }

  void Add(const ToyModel& model) {
    const auto prepared = PrepareFingerprint(BytesOfToy(model), model.name);
    ASSERT_TRUE(prepared) << DescribeError(prepared.error());
    const auto added = AddModel(*registry_, *prepared, {.name = model.name}, kNow);
    ASSERT_TRUE(added) << DescribeError(added.error());
  }

  Fingerprint PrintOf(const std::string& name) {
    const auto model = FindModel(*registry_, name);
    EXPECT_TRUE(model);
    auto print = FingerprintOfModel(*registry_, *model);
    EXPECT_TRUE(print);
    return *std::move(print);
  }

  ScratchFolder folder_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistrySearch, FindsTheNearestAndSeesWhatOthersChange) {
  for (uint32_t seed = 1; seed <= 5; ++seed) Add(SmallToy(seed));
  auto searcher = Searcher::Load(*registry_);
  ASSERT_TRUE(searcher) << DescribeError(searcher.error());
  EXPECT_EQ(searcher->size(), 5u);
  const ScreeningSignature query = ScreeningOf(PrintOf("toy3"));
  auto near = searcher->Near(query);
  ASSERT_TRUE(near) << DescribeError(near.error());
  ASSERT_EQ(near->size(), 5u);
  EXPECT_EQ(near->front().fingerprint, 3);
  EXPECT_NEAR(near->front().score, 1, 1e-3);

  Add(Noised(SmallToy(3), 0.1, 7));
  near = searcher->Near(query);
  ASSERT_TRUE(near);
  EXPECT_EQ(searcher->size(), 6u);
  EXPECT_EQ(near->at(1).fingerprint, 6);

  ASSERT_TRUE(RemoveModel(*registry_, *FindModel(*registry_, "toy3"), kNow));
  near = searcher->Near(query);
  ASSERT_TRUE(near);
  EXPECT_EQ(near->size(), 5u);
  EXPECT_EQ(near->front().fingerprint, 6);
}

TEST_F(RegistrySearch, RefusesAVectorThatWasCut) {
  Add(SmallToy(1));
  ASSERT_TRUE(
      registry_->database().Run("UPDATE search_vector SET content = substr(content, 1, 9)"));
  const auto searcher = Searcher::Load(*registry_);
  ASSERT_FALSE(searcher);
  EXPECT_EQ(searcher.error().kind, ErrorKind::kBadFile);
  EXPECT_THAT(searcher.error().advice, testing::HasSubstr("--repair"));
}

TEST_F(RegistrySearch, SaysWhoseLayersAModelHolds) {
  const ToyModel a = RandomToyModel(1, 4, 32);
  const ToyModel b = RandomToyModel(2, 4, 32);
  Add(a);
  Add(b);
  Add(SmallToy(3));
  ToyModel splice = a;
  splice.name = "splice";
  splice.layers = {a.layers[0], a.layers[1], b.layers[2], b.layers[3]};
  Add(splice);
  const auto own = FindModel(*registry_, "splice");
  const auto parts = FindSharedParts(*registry_, PrintOf("splice"), own->fingerprint);
  ASSERT_TRUE(parts) << DescribeError(parts.error());
  ASSERT_EQ(parts->models.size(), 2u);
  EXPECT_EQ(parts->models[0].model.name, "toy1");  // the tables, too
  const SharedRun& run = parts->models[1].runs.at(0);
  EXPECT_EQ(parts->models[1].model.name, "toy2");
  EXPECT_EQ(run.begin, 2u);
  EXPECT_EQ(run.end, 4u);
  EXPECT_EQ(run.other_begin, 2u);
  EXPECT_EQ(run.equal, 12u);
  EXPECT_EQ(run.all, 12u);
  const auto hits = FindPartHits(*registry_, PrintOf("splice"));
  ASSERT_TRUE(hits);
  EXPECT_EQ(hits->size(), 3u);

  const auto duplicates = FindDuplicates(*registry_);
  ASSERT_TRUE(duplicates);
  ASSERT_EQ(duplicates->sets.size(), 2u);
  EXPECT_GT(duplicates->saved_bytes, 0u);
}

// Equal short digests are no proof.
TEST_F(RegistrySearch, ConfirmsHitsByTheWholeDigest) {
  Add(SmallToy(1));
  Add(SmallToy(2));
  const Fingerprint second = PrintOf("toy2");
  ASSERT_TRUE(
      registry_->database().Run("INSERT INTO weight_digest (digest, fingerprint, weight) "
                                "VALUES ($1, 1, 0)",
                                {ShortDigest(second.weights[0].digest)}));
  const auto parts = FindSharedParts(*registry_, second, 2);
  ASSERT_TRUE(parts);
  EXPECT_TRUE(parts->models.empty());
}

}  // namespace
}  // namespace tensorguard::internal
