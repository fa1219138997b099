// Whole comparisons of small models: every verdict, and input that leaves little to compare.
#include "comparison/compare_fingerprints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

Comparison Compared(const Fingerprint& a, const Fingerprint& b) {
  auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison) << DescribeError(comparison.error());
  return *std::move(comparison);
}

bool Has(const Comparison& comparison, FindingKind kind) {
  for (const Finding& finding : comparison.findings) {
    if (finding.kind == kind) return true;
  }
  return false;
}

std::string TextOf(const Comparison& comparison, FindingKind kind) {
  std::string text;
  for (const Finding& finding : comparison.findings) {
    if (finding.kind == kind) text += finding.text;
  }
  return text;
}

TEST(CompareFingerprints, FindsAModelIdenticalToItself) {
  const auto toy = FingerprintOf(RandomToyModel(1));
  const auto comparison = Compared(toy, toy);
  EXPECT_EQ(comparison.verdict, Verdict::kIdentical);
  EXPECT_EQ(comparison.score, 1.0);
  EXPECT_NEAR(comparison.kernels->score, 1, 1e-6);
}

TEST(CompareFingerprints, FindsSeparateModelsIndependent) {
  const auto comparison =
      Compared(FingerprintOf(RandomToyModel(1)), FingerprintOf(RandomToyModel(2)));
  EXPECT_EQ(comparison.verdict, Verdict::kIndependent);
  EXPECT_LT(*comparison.score, 0.05);
  EXPECT_EQ(comparison.findings.size(), 0u);
}

TEST(CompareFingerprints, FindsATrainedCopyDerived) {
  const auto base = RandomToyModel(1);
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(Noised(base, 0.3, 5)));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_GT(*comparison.score, 0.9);
  ASSERT_EQ(comparison.layers.size(), 4u);
  EXPECT_NEAR(*comparison.layers[2].sketch_cosine, 1 / std::sqrt(1.09), 0.02);
  EXPECT_NEAR(*comparison.layers[2].relative_change, 0.3, 0.03);
}

TEST(CompareFingerprints, FindsARotatedCopyReparameterised) {
  const auto base = RandomToyModel(1);
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(Rotated(base, 5)));
  EXPECT_EQ(comparison.verdict, Verdict::kReparameterised);
  EXPECT_GT(*comparison.score, 0.999);
  EXPECT_TRUE(Has(comparison, FindingKind::kBasis));
}

TEST(CompareFingerprints, FindsARotatedCopyThatWasTrainedOnReparameterised) {
  const auto base = RandomToyModel(1);
  const auto comparison =
      Compared(FingerprintOf(base), FingerprintOf(Noised(Rotated(base, 5), 0.2, 6)));
  EXPECT_EQ(comparison.verdict, Verdict::kReparameterised);
}

TEST(CompareFingerprints, FindsScalesMovedBetweenMatricesReparameterised) {
  const auto base = RandomToyModel(1);
  ToyModel scaled = base;
  for (ToyLayer& layer : scaled.layers) {
    for (size_t unit = 0; unit < layer.up.n_rows; ++unit) {
      const double scale = unit % 2 == 0 ? 2 : 0.5;  // relu lets positive factors through
      layer.up.row(unit) *= scale;
      layer.down.col(unit) /= scale;
    }
  }
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(scaled));
  EXPECT_EQ(comparison.verdict, Verdict::kReparameterised);
  EXPECT_GT(comparison.sketches.cosine, 0.7);
}

TEST(CompareFingerprints, FindsTheSameInitialWeightsTrainedApart) {
  const auto start = RandomToyModel(1);
  ToyModel first = Noised(start, 1.7, 5);
  ToyModel second = Noised(start, 1.7, 6);
  first.embedding = RandomToyModel(11).embedding;
  second.embedding = RandomToyModel(12).embedding;
  const auto comparison = Compared(FingerprintOf(first), FingerprintOf(second));
  EXPECT_EQ(comparison.verdict, Verdict::kSharedInitialisation);
  EXPECT_LT(comparison.sketches.p_value, 1e-6);
  EXPECT_NEAR(comparison.sketches.cosine, 1 / (1 + 1.7 * 1.7), 0.05);
}

TEST(CompareFingerprints, TakesACopiedLayerForADerivationInPartNotForASharedStart) {
  const auto base = RandomToyModel(1, 8);
  ToyModel other = RandomToyModel(2, 8);
  other.layers[3] = base.layers[3];
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(other));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_TRUE(comparison.in_part);
  EXPECT_NEAR(comparison.origins.b.layers.Share(Origin::kSame), 1.0 / 8, 1e-9);
  EXPECT_NEAR(comparison.origins.b.layers.Share(Origin::kNothing), 7.0 / 8, 1e-9);
  EXPECT_THAT(comparison.reason, HasSubstr("12% of the layers of toy1"));
}

TEST(CompareFingerprints, FindsAModelDerivedWhoseLayersCameFromTwo) {
  const auto base = RandomToyModel(1, 6);
  ToyModel spliced = RandomToyModel(2, 6);
  for (size_t i = 3; i < 6; ++i) spliced.layers[i] = base.layers[i];
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(spliced));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_NEAR(comparison.sketches.copied_share, 0.5, 1e-9);
}

TEST(CompareFingerprints, TakesCopiedLayersThatWriteNothingForNoDerivation) {
  const auto base = RandomToyModel(1, 6);
  ToyModel other = RandomToyModel(2, 6);
  for (size_t i = 0; i < 3; ++i) other.layers.push_back(base.layers[i]);
  auto framed = FingerprintOf(other);
  for (LayerResponse& layer : framed.layers) {
    layer.mixer_gain = layer.feed_forward_gain = layer.index < 6 ? 0.5 : 1e-4;
  }
  const auto comparison = Compared(FingerprintOf(base), framed);
  EXPECT_EQ(comparison.verdict, Verdict::kIndependent);
  EXPECT_LT(*comparison.score, 0.1);
  EXPECT_THAT(comparison.reason, HasSubstr("write next to nothing"));
  EXPECT_THAT(TextOf(comparison, FindingKind::kPartsCopied), HasSubstr("18 matrices"));
}

TEST(CompareFingerprints, LeavesForgedSketchesOpen) {
  const auto base = FingerprintOf(RandomToyModel(1, 6));
  auto forged = FingerprintOf(RandomToyModel(2, 6));
  for (size_t i = 0; i < base.weights.size(); ++i) {
    forged.weights[i].sketch = base.weights[i].sketch;
  }
  const auto comparison = Compared(base, forged);
  EXPECT_EQ(comparison.verdict, Verdict::kInconclusive);
  EXPECT_LT(*comparison.score, 0.1);
  EXPECT_THAT(comparison.reason, HasSubstr("can be forged"));
}

TEST(CompareFingerprints, AccusesNobodyOfACommonStructure) {
  for (const size_t layers : {1, 2, 6}) {
    ToyModel first = RandomToyModel(1, layers);
    ToyModel second = RandomToyModel(2, layers);
    for (ToyModel* model : {&first, &second}) {
      for (ToyLayer& layer : model->layers) {
        for (arma::mat* matrix : layer.Matrices()) *matrix += 2;
      }
    }
    const auto comparison = Compared(FingerprintOf(first), FingerprintOf(second));
    EXPECT_THAT(comparison.verdict, testing::AnyOf(Verdict::kIndependent, Verdict::kInconclusive))
        << layers;
    EXPECT_EQ(comparison.origins.b.layers.TracedShare(), 0) << layers;
  }
}

TEST(CompareFingerprints, FindsLayersUnderAnotherEmbeddingAndAtOtherPlaces) {
  const auto base = RandomToyModel(1, 6);
  ToyModel moved = RandomToyModel(2, 6);
  moved.layers = {base.layers[4], base.layers[0], base.layers[0], base.layers[5]};
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(moved));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_EQ(comparison.origins.b.layers.Share(Origin::kSame), 1);
  EXPECT_NEAR(comparison.origins.a.layers.Share(Origin::kSame), 0.5, 1e-9);
  EXPECT_LE(*comparison.p_value, 1e-300);
}

TEST(CompareFingerprints, SeesThatTheVocabularyWasReplaced) {
  const auto base = RandomToyModel(1);
  ToyModel other = base;
  other.embedding = RandomToyModel(2).embedding;
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(other));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_THAT(TextOf(comparison, FindingKind::kVocabulary), HasSubstr("was replaced"));
  EXPECT_THAT(TextOf(comparison, FindingKind::kEqualWeights), HasSubstr("All 24 matrices"));
}

TEST(CompareFingerprints, AlignsAModelWithDroppedLayers) {
  const auto base = RandomToyModel(1, 6);
  ToyModel shallow = Noised(base, 0.1, 5);
  shallow.layers.erase(shallow.layers.begin() + 2);
  shallow.layers.erase(shallow.layers.begin() + 3);
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(shallow));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_FALSE(comparison.layers_by_index);
  ASSERT_EQ(comparison.layers.size(), 4u);
  EXPECT_EQ(comparison.layers[3].layer_a, 5u);
  EXPECT_EQ(comparison.layers[3].layer_b, 3u);
  EXPECT_THAT(TextOf(comparison, FindingKind::kLayers), HasSubstr("counterpart: 2, 4."));
}

TEST(CompareFingerprints, FindsRepeatedLayersAndWhoIsTheChild) {
  const auto base = RandomToyModel(1, 4);
  ToyModel deep = base;
  deep.name = "deep";
  deep.layers.insert(deep.layers.begin() + 2, base.layers[1]);
  deep = Noised(deep, 0.05, 5);
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(deep));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_THAT(TextOf(comparison, FindingKind::kLayers), HasSubstr("repeated"));
  EXPECT_EQ(comparison.derived, Side::kB);
  EXPECT_EQ(Compared(FingerprintOf(deep), FingerprintOf(base)).derived, Side::kA);
}

TEST(CompareFingerprints, IsSymmetric) {
  const auto base = RandomToyModel(1, 5);
  ToyModel shallow = Noised(base, 0.5, 5);
  shallow.layers.pop_back();
  for (const auto& [x, y] : {std::pair(base, shallow), std::pair(base, Rotated(base, 3)),
                             std::pair(base, RandomToyModel(4, 3))}) {
    const auto there = Compared(FingerprintOf(x), FingerprintOf(y));
    const auto back = Compared(FingerprintOf(y), FingerprintOf(x));
    EXPECT_EQ(there.verdict, back.verdict);
    EXPECT_NEAR(*there.score, *back.score, 1e-9);
    EXPECT_NEAR(there.sketches.cosine, back.sketches.cosine, 1e-9);
    EXPECT_EQ(there.findings.size(), back.findings.size());
  }
}

TEST(CompareFingerprints, IsInconclusiveOnFiveCommonAnchors) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = FingerprintOf(Rotated(RandomToyModel(1), 3));
  for (size_t i = 5; i < b.anchors.size(); ++i) b.anchors[i] += 1000;
  EXPECT_EQ(Compared(a, b).verdict, Verdict::kReparameterised);  // forms need no anchors
  b.frame = {};
  const auto comparison = Compared(a, b);
  EXPECT_EQ(comparison.verdict, Verdict::kInconclusive);
  EXPECT_EQ(comparison.score, std::nullopt);
  EXPECT_FALSE(comparison.kernels);
  EXPECT_THAT(TextOf(comparison, FindingKind::kCannotCompare), HasSubstr("share 5 anchors"));
}

TEST(CompareFingerprints, TrustsWeightsWhereKernelsCannotBeCompared) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = FingerprintOf(Noised(RandomToyModel(1), 0.1, 3));
  b.anchor_kind = AnchorKind::kRows;
  const auto comparison = Compared(a, b);
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_THAT(TextOf(comparison, FindingKind::kCannotCompare), HasSubstr("no tokenizer"));
}

TEST(CompareFingerprints, ComparesRowsOnlyBetweenVocabulariesOfOneSize) {
  auto a = FingerprintOf(RandomToyModel(1));
  auto b = FingerprintOf(Rotated(RandomToyModel(1), 3));
  a.anchor_kind = AnchorKind::kRows;
  b.anchor_kind = AnchorKind::kRows;
  EXPECT_EQ(Compared(a, b).verdict, Verdict::kReparameterised);
  b.vocabulary_size += 1;
  EXPECT_EQ(Compared(a, b).verdict, Verdict::kReparameterised);
  b.frame = {};
  const auto comparison = Compared(a, b);
  EXPECT_EQ(comparison.verdict, Verdict::kInconclusive);
  EXPECT_THAT(TextOf(comparison, FindingKind::kCannotCompare), HasSubstr("48 and 49"));
}

TEST(CompareFingerprints, RefusesDifferentAnchorLists) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = a;
  b.anchor_list_version = 2;
  const auto comparison = CompareFingerprints(a, b);
  ASSERT_FALSE(comparison);
  EXPECT_EQ(comparison.error().kind, ErrorKind::kMismatch);
  EXPECT_EQ(comparison.error().found, "versions 1 and 2");
}

TEST(CompareFingerprints, ComparesModelsOfOneLayer) {
  const auto base = RandomToyModel(1, 1);
  EXPECT_EQ(Compared(FingerprintOf(base), FingerprintOf(Noised(base, 0.2, 3))).verdict,
            Verdict::kDerived);
  EXPECT_EQ(Compared(FingerprintOf(base), FingerprintOf(Rotated(base, 3))).verdict,
            Verdict::kReparameterised);
  EXPECT_EQ(Compared(FingerprintOf(base), FingerprintOf(RandomToyModel(2, 1))).verdict,
            Verdict::kIndependent);
}

TEST(CompareFingerprints, LeavesOutLayersThatAnswerNothing) {
  const auto base = RandomToyModel(1, 4);
  ToyModel padded = base;
  ToyLayer silent = base.layers[0];
  for (arma::mat* matrix : silent.Matrices()) matrix->zeros();
  padded.layers.insert(padded.layers.begin() + 1, silent);
  const auto comparison = Compared(FingerprintOf(base), FingerprintOf(padded));
  EXPECT_EQ(comparison.verdict, Verdict::kDerived);
  EXPECT_EQ(comparison.kernels->similarity.columns(), 4u);
  EXPECT_NEAR(comparison.kernels->score, 1, 1e-6);
}

TEST(CompareFingerprints, IsInconclusiveOnAllZeroLayers) {
  ToyModel silent = RandomToyModel(1);
  for (ToyLayer& layer : silent.layers) {
    for (arma::mat* matrix : layer.Matrices()) matrix->zeros();
  }
  ToyModel other = silent;
  other.embedding = RandomToyModel(2).embedding;
  const auto comparison = Compared(FingerprintOf(silent), FingerprintOf(RandomToyModel(3)));
  EXPECT_EQ(comparison.verdict, Verdict::kInconclusive);
  EXPECT_EQ(comparison.score, std::nullopt);
  EXPECT_THAT(TextOf(comparison, FindingKind::kCannotCompare), HasSubstr("answers anything"));
  const auto both = Compared(FingerprintOf(silent), FingerprintOf(other));
  EXPECT_NE(both.verdict, Verdict::kDerived);
}

TEST(CompareFingerprints, IsInconclusiveOnFingerprintsWithoutLayers) {
  Fingerprint a = FingerprintOf(RandomToyModel(1, 0));
  Fingerprint b = FingerprintOf(RandomToyModel(2, 0));
  EXPECT_EQ(Compared(a, b).verdict, Verdict::kInconclusive);
}

// The first and the last layer, and what of their weights has a place.
Fingerprint QuickPrintOf(const ToyModel& model) {
  Fingerprint print = FingerprintOf(model);
  const uint32_t last = static_cast<uint32_t>(print.layers.size()) - 1;
  std::erase_if(print.layers, [&](const LayerResponse& layer) {
    return layer.index != 0 && layer.index != last;
  });
  std::erase_if(print.weights, [&](const WeightSummary& weight) {
    return weight.role.layer && *weight.role.layer != 0 && *weight.role.layer != last;
  });
  print.quick = {.budget_bytes = 100, .read_bytes = 90, .tensor_bytes = 300, .model_layers = 6};
  return print;
}

TEST(QuickComparison, NeverCallsAPartIdentical) {
  const auto base = RandomToyModel(1, 6);
  for (const auto& other : {FingerprintOf(base), QuickPrintOf(base)}) {
    const auto comparison = Compared(QuickPrintOf(base), other);
    EXPECT_EQ(comparison.verdict, Verdict::kDerived);
    ASSERT_TRUE(comparison.quick);
    EXPECT_TRUE(comparison.quick->decided);
    EXPECT_EQ(comparison.quick->kernels, 6u);
    EXPECT_THAT(TextOf(comparison, FindingKind::kEqualWeights), HasSubstr("that were read"));
    EXPECT_FALSE(Has(comparison, FindingKind::kLayers));
  }
}

TEST(QuickComparison, TellsCopiesFromOthers) {
  const auto base = RandomToyModel(1, 6);
  const auto quick = QuickPrintOf(base);
  EXPECT_EQ(Compared(quick, FingerprintOf(Noised(base, 0.2, 5))).verdict, Verdict::kDerived);
  EXPECT_EQ(Compared(quick, FingerprintOf(Rotated(base, 5))).verdict, Verdict::kReparameterised);
  const auto other = Compared(quick, FingerprintOf(RandomToyModel(2, 6)));
  EXPECT_EQ(other.verdict, Verdict::kIndependent);
  EXPECT_TRUE(other.quick->decided);
  EXPECT_FALSE(Compared(FingerprintOf(base), FingerprintOf(base)).quick);
}

TEST(QuickComparison, DoesNotDecideWithoutKernelsOrCommonWeights) {
  Fingerprint quick = QuickPrintOf(RandomToyModel(1, 6));
  quick.layers.clear();
  quick.weights.clear();
  quick.frame = {};
  const auto comparison = Compared(quick, FingerprintOf(RandomToyModel(1, 6)));
  EXPECT_EQ(comparison.verdict, Verdict::kInconclusive);
  ASSERT_TRUE(comparison.quick);
  EXPECT_FALSE(comparison.quick->decided);
  EXPECT_FALSE(comparison.score);
}

TEST(QuickComparison, DoesNotDecideNearTheThresholds) {
  EXPECT_TRUE(CertaintyOf(12, 0, 0.60).decided);
  EXPECT_FALSE(CertaintyOf(12, 0, 0.50).decided);
  EXPECT_FALSE(CertaintyOf(1, 0, 0.60).decided);
  EXPECT_TRUE(CertaintyOf(1, 0, 0.30).decided);
  EXPECT_FALSE(CertaintyOf(12, 0, {}).decided);
}

}  // namespace
}  // namespace tensorguard::internal
