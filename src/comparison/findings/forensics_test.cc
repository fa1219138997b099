// What is found out about a change, on models whose change is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "comparison/compare_fingerprints.h"
#include "comparison/findings/change_forensics.h"
#include "comparison/findings/structure_forensics.h"
#include "comparison/measures/change_spectrum.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<Finding> FindingsOf(const Fingerprint& a, const Fingerprint& b) {
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

TEST(FindChanges, CallsNoMixtureNoise) {
  const auto base = RandomToyModel(1);
  for (const double kept : {0.6, 0.8, 1.25}) {
    ToyModel mixed = Noised(base, 0.3 / kept, 3);
    for (ToyLayer& layer : mixed.layers) {
      for (arma::mat* matrix : layer.Matrices()) *matrix *= kept;
    }
    const auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(mixed));
    EXPECT_THAT(TextOf(findings, FindingKind::kNoise), IsEmpty()) << kept;
  }
  const auto drowned = FindingsOf(FingerprintOf(base), FingerprintOf(Noised(base, 0.8, 3)));
  EXPECT_THAT(TextOf(drowned, FindingKind::kNoise), IsEmpty());
}

// Fine-tuned feed-forwards change as evenly as noise, where attention stays.
TEST(FindChanges, CallsNoChangeOfSomeRolesNoise) {
  const auto base = RandomToyModel(1);
  const ToyModel noised = Noised(base, 0.1, 3);
  ToyModel part = base;
  for (size_t i = 0; i < part.layers.size(); ++i) {
    part.layers[i].up = noised.layers[i].up;
    part.layers[i].down = noised.layers[i].down;
  }
  const auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(part));
  EXPECT_THAT(TextOf(findings, FindingKind::kChange), HasSubstr("8 of 24 matrices changed"));
  EXPECT_THAT(TextOf(findings, FindingKind::kNoise), IsEmpty());
}

TEST(FindChanges, NoiseIsInTheModelThatHoldsAllOfTheOther) {
  const auto base = RandomToyModel(1);
  const auto comparison =
      CompareFingerprints(FingerprintOf(Noised(base, 0.4, 3)), FingerprintOf(base));
  ASSERT_TRUE(comparison);
  EXPECT_THAT(TextOf(comparison->findings, FindingKind::kNoise), HasSubstr("noise, not training"));
  EXPECT_EQ(comparison->derived, Side::kA);
}

TEST(FindChanges, NamesEditsOfFewMatrices) {
  const auto base = RandomToyModel(1);
  ToyModel edited = base;
  std::mt19937 generator(8);
  const arma::mat change = RandomMatrix(64, 1, generator) * RandomMatrix(1, 128, generator);
  edited.layers[2].down += 0.2 * change;
  auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(edited));
  EXPECT_THAT(TextOf(findings, FindingKind::kEdit), HasSubstr("One of 24 matrices changed: down"));
  EXPECT_THAT(TextOf(findings, FindingKind::kEdit), HasSubstr("rank 1."));
  EXPECT_THAT(TextOf(findings, FindingKind::kLowRank), IsEmpty());
  edited = base;
  edited.layers[1].up(3, 5) += 20;
  findings = FindingsOf(FingerprintOf(base), FingerprintOf(edited));
  EXPECT_THAT(TextOf(findings, FindingKind::kEdit), HasSubstr("up, by"));
  EXPECT_THAT(TextOf(findings, FindingKind::kLowRank), IsEmpty());
  // Low ranks in two of four layers are no LoRA either.
  edited = WithLora(base, 2, 0.2, 4);
  edited.layers[0] = base.layers[0];
  edited.layers[1] = base.layers[1];
  findings = FindingsOf(FingerprintOf(base), FingerprintOf(edited));
  EXPECT_THAT(TextOf(findings, FindingKind::kEdit), HasSubstr("rank 2, in 2 of 4 layers"));
  EXPECT_THAT(TextOf(findings, FindingKind::kLowRank), IsEmpty());
}

TEST(FindChanges, NamesFactors) {
  const auto base = RandomToyModel(1);
  ToyModel scaled = base;
  for (ToyLayer& layer : scaled.layers) layer.output *= 1.5;
  const auto findings = FindingsOf(FingerprintOf(base), FingerprintOf(scaled));
  EXPECT_THAT(
      TextOf(findings, FindingKind::kScaled),
      HasSubstr("4 of 24 matrices (output_projection) are the same but for the factor 1.5"));
  EXPECT_THAT(TextOf(findings, FindingKind::kChange), IsEmpty());
}

TEST(FindChanges, NamesTheRoundingOfAnotherType) {
  const auto base = RandomToyModel(1);
  auto rounded = FingerprintOf(Noised(base, 0.0016, 3));
  for (WeightSummary& weight : rounded.weights) weight.dtype = "BF16";
  const auto a = FingerprintOf(base);
  const auto anchors = FindCommonAnchors(a, rounded);
  ASSERT_TRUE(anchors);
  const auto findings =
      FindChanges(a, rounded, CompareSketches(a, rounded, LayersByIndex(a, rounded), *anchors));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].kind, FindingKind::kRounding);
  EXPECT_THAT(findings[0].text, HasSubstr("24 of 24 matrices are stored in another type"));
}

TEST(FindRounding, ZerosAreNoGrid) {
  const auto a = FingerprintOf(RandomToyModel(1));
  for (const auto& [zeros, distinct] : {std::pair{0.5, 16.4}, {0.7, 10.5}, {0.9, 4.2}}) {
    auto b = a;
    for (WeightSummary& weight : b.weights) {
      weight.zero_fraction = zeros;
      weight.distinct_per_32 = distinct;
      weight.two_of_four_fraction = zeros > 0.8 ? 1 : 0.7;
    }
    const auto findings = FindRounding(a, b);
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_THAT(findings[0].text, HasSubstr("% of its weights are exactly zero."));
  }
}

TEST(FindRounding, NamesGridsOfGroupsOfSixteen) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = a;
  for (WeightSummary& weight : b.weights) {
    weight.zero_fraction = 0.117;
    weight.distinct_per_32 = 18.1;
  }
  const auto findings = FindRounding(a, b);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].derived, Side::kB);
  EXPECT_THAT(findings[0].text, HasSubstr("4 bits in groups of 16"));
}

TEST(FindRounding, TellsDeadBlocksAndEmptyMatricesFromPruning) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = a;
  for (WeightSummary& weight : b.weights) {
    if (weight.role.role != Role::kOutputProjection) continue;
    weight.zero_column_fraction = weight.zero_fraction = 0.25;
  }
  auto findings = FindRounding(a, b);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].text, HasSubstr("In 4 matrices of toy1 (output_projection) blocks of"));
  EXPECT_EQ(findings[0].derived, Side::kB);
  b = a;
  for (WeightSummary& weight : b.weights) {
    if (weight.role.role == Role::kUp) weight.norm = 0;
  }
  findings = FindRounding(b, a);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].text, HasSubstr("4 matrices of toy1 hold nothing but zeros (up)"));
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

TEST(Structure, NamesPadding) {
  const auto base = RandomToyModel(1);
  ToyModel padded = base;
  for (ToyLayer& layer : padded.layers) {
    layer.up.insert_rows(128, 32);
    layer.down.insert_cols(128, 32);
  }
  auto b = FingerprintOf(padded);
  for (WeightSummary& weight : b.weights) {
    if (weight.role.role == Role::kUp) weight.zero_fraction = weight.zero_row_fraction = 0.2;
    if (weight.role.role == Role::kDown) weight.zero_fraction = weight.zero_column_fraction = 0.2;
  }
  const auto findings = FindingsOf(FingerprintOf(base), b);
  EXPECT_THAT(TextOf(findings, FindingKind::kWidth), HasSubstr("160: it was padded with zeros"));
  EXPECT_THAT(TextOf(findings, FindingKind::kZeros), IsEmpty());
}

std::string LayerWords(const Fingerprint& a, const Fingerprint& b) {
  const auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison);
  return TextOf(
      FindLayerChanges(a, b, comparison->kernels->similarity, comparison->kernels->alignment),
      FindingKind::kLayers);
}

TEST(Structure, NamesAnotherOrderOfLayers) {
  const auto base = RandomToyModel(1, 5);
  ToyModel moved = base;
  std::swap(moved.layers[1], moved.layers[3]);
  EXPECT_THAT(LayerWords(FingerprintOf(base), FingerprintOf(moved)), HasSubstr("another order"));
  EXPECT_THAT(LayerWords(FingerprintOf(base), FingerprintOf(base)), IsEmpty());
}

TEST(Structure, LayersWithTheDigestsOfOthersAreNotWithoutCounterpart) {
  const auto base = RandomToyModel(1, 4);
  ToyModel stacked = base;
  stacked.layers.insert(stacked.layers.begin() + 3, {base.layers[1], base.layers[2]});
  const auto words = LayerWords(FingerprintOf(base), FingerprintOf(stacked));
  EXPECT_THAT(words, HasSubstr("are repeated"));
  EXPECT_THAT(words, Not(HasSubstr("without a counterpart")));
  EXPECT_THAT(words, Not(HasSubstr("another order")));
}

std::string BasisWords(const ToyModel& a, const ToyModel& b) {
  const auto comparison = CompareFingerprints(FingerprintOf(a), FingerprintOf(b));
  EXPECT_TRUE(comparison);
  EXPECT_EQ(comparison->verdict, Verdict::kReparameterised);
  return TextOf(comparison->findings, FindingKind::kBasis);
}

TEST(NameBasisChange, SaysWhatWasRewritten) {
  const auto base = RandomToyModel(1);
  EXPECT_THAT(BasisWords(base, Rotated(base, 5)), HasSubstr("residual stream"));
  ToyModel inside = base;
  for (ToyLayer& layer : inside.layers) {
    layer.query *= 3;
    layer.key /= 3;
    layer.query = arma::shift(layer.query, 7, 0);
    layer.key = arma::shift(layer.key, 7, 0);
  }
  EXPECT_THAT(BasisWords(base, inside), HasSubstr("query and key were"));
  EXPECT_THAT(BasisWords(base, inside), Not(HasSubstr("value")));
  inside = base;
  for (ToyLayer& layer : inside.layers) {
    layer.value = arma::shift(layer.value, 7, 0);
    layer.output = arma::shift(layer.output, 7, 1);
  }
  EXPECT_THAT(BasisWords(base, inside), HasSubstr("value and output were permuted together"));
  inside = base;
  for (ToyLayer& layer : inside.layers) {
    layer.up = arma::shift(layer.up, 7, 0);
    layer.down = arma::shift(layer.down, 7, 1);
  }
  EXPECT_THAT(BasisWords(base, inside), HasSubstr("hidden units were"));
  EXPECT_THAT(BasisWords(base, inside), Not(HasSubstr("query")));
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
}  // namespace tensorguard::internal
