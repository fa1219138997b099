#include "comparison/weight_agreement.h"

#include <gtest/gtest.h>

#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

SketchComparison SketchesOf(const Fingerprint& a, const Fingerprint& b) {
  const auto anchors = FindCommonAnchors(a, b);
  EXPECT_TRUE(anchors);
  return CompareSketches(a, b, LayersByIndex(a, b), *anchors);
}

WeightAgreement Agreement(const Fingerprint& a, const Fingerprint& b) {
  const auto there = AgreementOf(a, b, SketchesOf(a, b));
  EXPECT_EQ(AgreementOf(b, a, SketchesOf(b, a)), there);
  return there;
}

// `wide` as bfloat16 holds it.
Fingerprint Narrowed(Fingerprint& wide) {
  Fingerprint narrow = wide;
  for (size_t i = 0; i < wide.weights.size(); ++i) {
    narrow.weights[i].dtype = "BF16";
    narrow.weights[i].digest[0] ^= 1;
    wide.weights[i].digest_as_bfloat16 = narrow.weights[i].digest;
  }
  return narrow;
}

TEST(AgreementOf, EqualNeedsEveryDigest) {
  const auto a = FingerprintOf(RandomToyModel(1));
  EXPECT_EQ(Agreement(a, a), WeightAgreement::kEqual);
  for (size_t i = 0; i < a.weights.size(); ++i) {
    auto b = a;
    b.weights[i].digest[3] ^= 1;  // the sketches, and the anchors' rows, stay the same
    EXPECT_EQ(Agreement(a, b), WeightAgreement::kDifferent) << a.weights[i].tensor;
  }
}

TEST(AgreementOf, EqualNeedsACounterpartForEveryWeight) {
  const auto a = FingerprintOf(RandomToyModel(1));
  auto b = a;
  b.weights.push_back(Summarise(arma::mat(40, 40, arma::fill::ones), Role::kModality, 0));
  EXPECT_EQ(Agreement(a, b), WeightAgreement::kDifferent);
  EXPECT_EQ(Agreement(b, b), WeightAgreement::kEqual);
  auto c = b;
  c.weights.back().digest[0] ^= 1;
  EXPECT_EQ(Agreement(b, c), WeightAgreement::kDifferent);
}

TEST(AgreementOf, EqualNeedsEveryExpert) {
  auto a = FingerprintOf(RandomToyModel(1));
  for (WeightSummary& weight : a.weights) {
    if (weight.role.role == Role::kUp || weight.role.role == Role::kDown) weight.role.expert = 0;
  }
  for (LayerResponse& layer : a.layers) layer.expert_count = 1;
  EXPECT_EQ(Agreement(a, a), WeightAgreement::kEqual);
  for (LayerResponse& layer : a.layers) layer.expert_count = 48;  // 47 of which nothing is known
  EXPECT_EQ(Agreement(a, a), WeightAgreement::kDifferent);
}

TEST(AgreementOf, AHeadThatRepeatsTheEmbeddingMayBeThereOrNot) {
  auto a = FingerprintOf(RandomToyModel(1));
  a.weights.back().digest = a.weights[a.weights.size() - 2].digest;
  auto b = a;
  b.weights.pop_back();
  b.tied_head = true;
  EXPECT_EQ(Agreement(a, b), WeightAgreement::kEqual);
}

TEST(AgreementOf, RoundingNeedsTheDigestOfTheRounded) {
  auto wide = FingerprintOf(RandomToyModel(1));
  const auto narrow = Narrowed(wide);
  EXPECT_EQ(Agreement(wide, narrow), WeightAgreement::kEqualToRounding);
  auto other = narrow;
  other.weights[4].digest[9] ^= 1;
  EXPECT_EQ(Agreement(wide, other), WeightAgreement::kDifferent);
  // Equal weights among them change nothing.
  other = narrow;
  other.weights[2] = wide.weights[2];
  EXPECT_EQ(Agreement(wide, other), WeightAgreement::kEqualToRounding);
}

TEST(AgreementOf, NothingOfOneTypeIsRounding) {
  auto a = FingerprintOf(RandomToyModel(1));
  for (WeightSummary& weight : a.weights) weight.dtype = "BF16";
  auto b = a;
  b.weights[0].digest[0] ^= 1;
  b.weights[0].digest_as_bfloat16 = a.weights[0].digest;
  EXPECT_EQ(Agreement(a, b), WeightAgreement::kDifferent);
  EXPECT_FALSE(ConsistentWithRounding(a, b, SketchesOf(a, b)));
}

TEST(ConsistentWithRounding, AllowsEvenChangesOfOtherTypesAlone) {
  const auto base = RandomToyModel(1);
  const auto a = FingerprintOf(base);
  const auto stored = [](Fingerprint fingerprint, const char* dtype) {
    for (WeightSummary& weight : fingerprint.weights) weight.dtype = dtype;
    return fingerprint;
  };
  const auto within = stored(FingerprintOf(Noised(base, 0.0016, 3)), "BF16");
  EXPECT_TRUE(ConsistentWithRounding(a, within, SketchesOf(a, within)));
  EXPECT_EQ(Agreement(a, within), WeightAgreement::kDifferent);
  const auto beyond = stored(FingerprintOf(Noised(base, 0.01, 3)), "BF16");
  EXPECT_FALSE(ConsistentWithRounding(a, beyond, SketchesOf(a, beyond)));
  const auto too_much_for_type = stored(FingerprintOf(Noised(base, 0.0016, 3)), "F16");
  EXPECT_FALSE(ConsistentWithRounding(a, too_much_for_type, SketchesOf(a, too_much_for_type)));
}

}  // namespace
}  // namespace tensorguard::internal
