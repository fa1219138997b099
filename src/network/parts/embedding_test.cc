#include "network/parts/embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "architecture/table/architecture_table.h"
#include "network/attention/positions.h"
#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

// The embedding of a model whose tensors lie outside of layers.
class EmbeddingOf {
 public:
  EmbeddingOf(const std::map<std::string, TensorValues>& tensors, const ArchitectureTraits& traits,
              Json config = Json::object())
      : model_(ModelOf(tensors, std::move(config))), weights_(*SplitWeights(model_)) {
    std::vector<const Weight*> outer;
    for (const Weight& weight : weights_) outer.push_back(&weight);
    const ConfigView view(model_.config);
    const StackContext context{.source = model_.weights.get(),
                               .config = view,
                               .traits = &traits,
                               .positions = ReadPositionScheme(view, traits),
                               .assumed = &assumed_};
    embedding_ = ReadEmbedding(context, LayerParts(*model_.weights, std::move(outer)), {});
  }

  const Result<Embedding>& operator*() const { return embedding_; }
  const Embedding* operator->() const { return &*embedding_; }

 private:
  Model model_;
  std::vector<Weight> weights_;
  std::set<std::string> assumed_;
  Result<Embedding> embedding_ = Error{};
};

TEST(Embedding, ScalesGemmasRows) {
  const EmbeddingOf embedding({{"model.embed_tokens.weight", Counted({3, 4})}},
                              *FindComputingRow("gemma")->computes);
  ASSERT_TRUE(*embedding);
  const auto rows = embedding->Rows(std::vector<uint32_t>{2, 0});
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values(), ElementsAre(16, 18, 20, 22, 0, 2, 4, 6));
}

TEST(Embedding, PutsATokenBetweenItsNeighbours) {
  const EmbeddingOf embedding(
      {{"mobilebert.embeddings.word_embeddings.weight", {{3, 1}, {1, 2, 3}}},
       {"mobilebert.embeddings.position_embeddings.weight", {{3, 1}, {0, 0, 0}}},
       {"mobilebert.embeddings.embedding_transformation.weight", {{1, 3}, {100, 10, 1}}}},
      *FindComputingRow("mobilebert")->computes,
      {{"model_type", "mobilebert"}, {"trigram_input", true}});
  ASSERT_TRUE(*embedding) << DescribeError((*embedding).error());
  const std::vector<uint32_t> ids = {0, 1, 2};
  EXPECT_THAT(embedding->Sequence(ids, PositionScheme::kLearned)->values(),
              ElementsAre(210, 321, 32));
  EXPECT_THAT(embedding->Rows(ids)->values(), ElementsAre(10, 20, 30));
}

TEST(Embedding, TakesAPositionsRowFromEachAxis) {
  const EmbeddingOf embedding(
      {{"reformer.embeddings.word_embeddings.weight", {{1, 2}, {0, 0}}},
       {"reformer.embeddings.position_embeddings.weights.0", {{2, 1, 1}, {1, 2}}},
       {"reformer.embeddings.position_embeddings.weights.1", {{1, 2, 1}, {10, 20}}}},
      *FindComputingRow("reformer")->computes, {{"model_type", "reformer"}});
  ASSERT_TRUE(*embedding) << DescribeError((*embedding).error());
  const std::vector<uint32_t> ids = {0, 0, 0};
  EXPECT_THAT(embedding->Sequence(ids, PositionScheme::kLearned)->values(),
              ElementsAre(1, 10, 1, 20, 2, 10));
  EXPECT_FALSE(embedding->Sequence(std::vector<uint32_t>(5, 0), PositionScheme::kLearned));
}

TEST(Embedding, AddsPositionsOnlyToSequences) {
  const EmbeddingOf embedding({{"transformer.wte.weight", Counted({3, 2})},
                               {"transformer.wpe.weight", {{2, 2}, {10, 20, 30, 40}}}},
                              *FindComputingRow("gpt2")->computes);
  ASSERT_TRUE(*embedding);
  const std::vector<uint32_t> ids = {1, 1};
  EXPECT_THAT(embedding->Rows(ids)->values(), ElementsAre(2, 3, 2, 3));
  EXPECT_THAT(embedding->Sequence(ids, PositionScheme::kLearned)->values(),
              ElementsAre(12, 23, 32, 43));
}

TEST(Embedding, RefusesMorePositionsThanTheTableHas) {
  const EmbeddingOf embedding(
      {{"transformer.wte.weight", Counted({3, 2})}, {"transformer.wpe.weight", Counted({2, 2})}},
      *FindComputingRow("gpt2")->computes);
  ASSERT_TRUE(*embedding);
  const auto rows = embedding->Sequence(std::vector<uint32_t>{0, 1, 2}, PositionScheme::kLearned);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(rows.error().tensor, "transformer.wpe.weight");
}

// Padding (token 1) takes the row before the first; the tokens beside it count on.
TEST(Embedding, GivesPaddingNoPositionOfItsOwn) {
  const EmbeddingOf embedding(
      {{"roberta.embeddings.word_embeddings.weight", {{3, 1}, {0, 0, 0}}},
       {"roberta.embeddings.position_embeddings.weight", {{5, 1}, {1, 2, 3, 4, 5}}}},
      *FindComputingRow("roberta")->computes);
  ASSERT_TRUE(*embedding);
  const auto rows = embedding->Sequence(std::vector<uint32_t>{0, 1, 2}, PositionScheme::kLearned);
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values(), ElementsAre(3, 2, 4));
}

TEST(Embedding, GivesPaddingNoWave) {
  const EmbeddingOf embedding({{"model.shared.weight", {{3, 2}, {0, 0, 0, 0, 0, 0}}}},
                              *FindComputingRow("m2m_100")->computes);
  ASSERT_TRUE(*embedding);
  const auto rows = embedding->Sequence(std::vector<uint32_t>{1, 0}, PositionScheme::kSinusoidal);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->Row(0)[0], 0);
  EXPECT_EQ(rows->Row(0)[1], 0);
  EXPECT_NEAR(rows->Row(1)[0], std::sin(2.0), 1e-6);
}

TEST(Embedding, NormalisesBeforeItProjectsWherePositionsAreNarrow) {
  const EmbeddingOf embedding(
      {{"albert.embeddings.word_embeddings.weight", {{2, 2}, {3, 5, 1, 0}}},
       {"albert.embeddings.position_embeddings.weight", {{4, 2}, {0, 0, 0, 0, 0, 0, 0, 0}}},
       {"albert.embeddings.LayerNorm.weight", {{2}, {1, 1}}},
       {"albert.embeddings.LayerNorm.bias", {{2}, {0, 0}}},
       {"albert.encoder.embedding_hidden_mapping_in.weight", {{3, 2}, {1, 0, 0, 1, 2, 2}}}},
      *FindComputingRow("albert")->computes);
  ASSERT_TRUE(*embedding);
  const auto rows = embedding->Rows(std::vector<uint32_t>{0});
  ASSERT_TRUE(rows);
  EXPECT_THAT(rows->values(),
              ElementsAre(testing::FloatNear(-1, 1e-5f), testing::FloatNear(1, 1e-5f),
                          testing::FloatNear(0, 1e-5f)));
}

TEST(ReadEmbedding, RefusesPositionsOfAnotherWidth) {
  const EmbeddingOf embedding(
      {{"transformer.wte.weight", Counted({3, 2})}, {"transformer.wpe.weight", Counted({4, 3})}},
      *FindComputingRow("gpt2")->computes);
  ASSERT_FALSE(*embedding);
  EXPECT_EQ((*embedding).error().kind, ErrorKind::kBadFile);
  EXPECT_EQ((*embedding).error().tensor, "transformer.wpe.weight");
}

}  // namespace
}  // namespace tensorguard::internal
