// What is found out about a change, on models whose change is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "comparison/change_forensics.h"
#include "comparison/change_spectrum.h"
#include "comparison/compare_fingerprints.h"
#include "comparison/toy_models.h"

namespace tensorguard {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Finding> FindingsOf(const FullFingerprint& a, const FullFingerprint& b) {
  const auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison);
  EXPECT_EQ(comparison->verdict, Verdict::kDerived);
  return comparison->findings;
}

std::string TextOf(const std::vector<Finding>& findings, FindingKind kind) {
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.kind == kind) text += finding.text;
  }
  return text;
}

ToyModel WithLora(ToyModel model, size_t rank, double share, uint32_t seed) {
  std::mt19937 generator(seed);
  for (ToyLayer& layer : model.layers) {
    for (arma::mat* matrix : {&layer.query, &layer.value}) {
      const arma::mat change = RandomMatrix(matrix->n_rows, rank, generator) *
                               RandomMatrix(rank, matrix->n_cols, generator);
      *matrix += share * arma::norm(*matrix, "fro") / arma::norm(change, "fro") * change;
    }
  }
  return model;
}

TEST(SpectrumOfChange, CountsTheRankOfAChange) {
  const auto base = RandomToyModel(1, 1);
  const auto before = FingerprintOf(base);
  for (const size_t rank : {1, 3, 8, 16}) {
    const auto after = FingerprintOf(WithLora(base, rank, 0.2, 4));
    const auto spectrum = SpectrumOfChange(before.weights[0], after.weights[0]);
    EXPECT_EQ(spectrum.rank, rank);
    EXPECT_EQ(spectrum.full_rank, 32u);
    EXPECT_LE(spectrum.effective_rank, static_cast<double>(rank) + 0.01);
  }
  EXPECT_EQ(SpectrumOfChange(before.weights[0], before.weights[0]).rank, 0u);
}

TEST(SpectrumOfChange, DoesNotCountRounding) {
  const auto base = RandomToyModel(1, 1);
  auto before = FingerprintOf(base);
  auto after = FingerprintOf(Noised(WithLora(base, 4, 0.2, 4), 0.0016, 5));
  EXPECT_GT(SpectrumOfChange(before.weights[0], after.weights[0]).rank, 4u);
  after.weights[0].dtype = "BF16";
  EXPECT_EQ(SpectrumOfChange(before.weights[0], after.weights[0]).rank, 4u);
}

TEST(FindChanges, NamesTheRankOfALora) {
  const auto base = RandomToyModel(1);
  const auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(WithLora(base, 6, 0.3, 2)));
  EXPECT_THAT(TextOf(findings, FindingKind::kChange), HasSubstr("8 of 24 matrices changed"));
  EXPECT_THAT(TextOf(findings, FindingKind::kChange), HasSubstr("query, value"));
  EXPECT_THAT(TextOf(findings, FindingKind::kLowRank), HasSubstr("rank 6"));
}

TEST(FindChanges, NamesNoRankForFullTraining) {
  const auto base = RandomToyModel(1);
  ToyModel trained = base;
  for (size_t i = 0; i < 4; ++i) {
    trained.layers[i] = Noised(base, 0.05 * static_cast<double>(i + 1), 3).layers[i];
  }
  const auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(trained));
  EXPECT_THAT(TextOf(findings, FindingKind::kChange), HasSubstr("24 of 24"));
  EXPECT_THAT(TextOf(findings, FindingKind::kLowRank), IsEmpty());
  EXPECT_THAT(TextOf(findings, FindingKind::kNoise), IsEmpty());
}

TEST(FindChanges, TellsNoiseFromTraining) {
  const auto base = RandomToyModel(1);
  const auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(Noised(base, 0.05, 3)));
  EXPECT_THAT(TextOf(findings, FindingKind::kNoise), HasSubstr("share of itself (0.05"));
}

TEST(FindChanges, FindsADirectionTakenOut) {
  const auto base = RandomToyModel(1);
  ToyModel changed = base;
  std::mt19937 generator(8);
  const arma::vec direction = arma::normalise(arma::vectorise(RandomMatrix(64, 1, generator)));
  for (ToyLayer& layer : changed.layers) {
    for (arma::mat* writer : {&layer.output, &layer.down}) {
      *writer -= direction * (direction.t() * *writer);
    }
  }
  const auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(changed));
  EXPECT_THAT(TextOf(findings, FindingKind::kDirection), HasSubstr("output_projection, down"));
  // A LoRA of rank 1 has a direction of its own in every matrix.
  const auto lora = FindingsOf(FingerprintOf(base), FingerprintOf(WithLora(base, 1, 0.1, 2)));
  EXPECT_THAT(TextOf(lora, FindingKind::kDirection), IsEmpty());
  EXPECT_THAT(TextOf(lora, FindingKind::kLowRank), HasSubstr("rank 1,"));
}

TEST(FindRounding, FindsGridsAndTheChild) {
  const auto base = RandomToyModel(1);
  const auto a = FingerprintOf(base);
  auto b = FingerprintOf(Noised(base, 0.05, 2));
  for (WeightSummary& weight : b.weights) {
    weight.distinct_per_32 = 11.8;
    weight.zero_fraction = 0.13;  // a grid has zeros
  }
  const auto findings = FindRounding(a, b);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].derived, Side::kB);
  EXPECT_THAT(findings[0].text, HasSubstr("as 4 bits allow"));
  EXPECT_EQ(FindRounding(b, a)[0].derived, Side::kA);
  const auto both = FindRounding(b, b);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].derived, std::nullopt);
}

// What the file says of itself needs no measure.
TEST(FindRounding, BelievesTheFile) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = a;
  const size_t half = b.weights.size() / 2;
  for (size_t i = 0; i < b.weights.size(); ++i) {
    WeightSummary& weight = b.weights[i];
    weight.zero_fraction = 0.2;   // of a grid, not pruned
    weight.distinct_per_32 = 17;  // act-order: groups lie apart
    if (i >= half) weight.quantisation = "GPTQ 8 bit, groups of 32";
  }
  const auto findings = FindRounding(a, b);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].kind, FindingKind::kQuantised);
  EXPECT_EQ(findings[0].derived, Side::kB);
  EXPECT_THAT(findings[0].text, HasSubstr("is stored quantised: GPTQ 8 bit, groups of 32 ("));
  auto blocks = a;
  for (WeightSummary& weight : blocks.weights) weight.dtype = "Q6_K";
  EXPECT_THAT(FindRounding(blocks, a)[0].text, HasSubstr("is stored quantised: Q6_K ("));
  EXPECT_EQ(FindRounding(blocks, a)[0].derived, Side::kA);
  const auto both = FindRounding(blocks, b);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].derived, std::nullopt);
  EXPECT_EQ(both[1].derived, std::nullopt);
}

TEST(FindRounding, FindsEightBitsAndZeros) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = a;
  for (WeightSummary& weight : b.weights) weight.distinct_per_256 = 140;
  EXPECT_THAT(FindRounding(a, b)[0].text, HasSubstr("8 bits"));
  b = a;
  for (WeightSummary& weight : b.weights) {
    weight.zero_fraction = 0.5;
    weight.two_of_four_fraction = 1;
  }
  const auto findings = FindRounding(a, b);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].text, HasSubstr("50 % of its weights are exactly zero, two in every"));
  EXPECT_THAT(FindRounding(a, a), IsEmpty());
  // Zeros leave fewer different values; that is no grid.
  for (WeightSummary& weight : b.weights) weight.distinct_per_256 = 120;
  EXPECT_EQ(FindRounding(a, b).size(), 1u);
}

TEST(Structure, FindsOtherWidthsAndVocabularies) {
  const auto base = RandomToyModel(1);
  ToyModel narrow = base;
  for (ToyLayer& layer : narrow.layers) {
    layer.up.shed_rows(100, 127);
    layer.down.shed_cols(100, 127);
  }
  auto b = FingerprintOf(narrow);
  b.vocabulary_size += 64;
  auto findings = FindingsOf(FingerprintOf(base), b);
  EXPECT_THAT(TextOf(findings, FindingKind::kWidth), HasSubstr("has 128 hidden units"));
  EXPECT_THAT(TextOf(findings, FindingKind::kWidth), HasSubstr("100"));
  EXPECT_THAT(TextOf(findings, FindingKind::kVocabulary), HasSubstr("64 more rows"));
  EXPECT_THAT(TextOf(findings, FindingKind::kVocabulary), HasSubstr("extended"));
  for (uint32_t& token : b.anchor_tokens) token += 3;
  findings = FindingsOf(FingerprintOf(base), b);
  EXPECT_THAT(TextOf(findings, FindingKind::kVocabulary), HasSubstr("lie elsewhere"));
}

TEST(Structure, FindsExpertsThatWereADenseBlock) {
  const auto base = RandomToyModel(1);
  const auto dense = FingerprintOf(base);
  auto mixture = FingerprintOf(Noised(base, 0.1, 2));
  for (LayerResponse& layer : mixture.layers) layer.expert_count = 2;
  for (WeightSummary& weight : mixture.weights) {
    if (weight.role.role == Role::kUp || weight.role.role == Role::kDown) weight.role.expert = 1;
  }
  const auto comparison = CompareFingerprints(dense, mixture);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->derived, Side::kB);
  EXPECT_THAT(TextOf(comparison->findings, FindingKind::kExperts),
              HasSubstr("started as copies of the dense feed-forward"));
}

}  // namespace
}  // namespace tensorguard
