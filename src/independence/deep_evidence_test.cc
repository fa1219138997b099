#include "independence/deep_evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "independence/written_shares.h"
#include "tests/support/unit_networks.h"

namespace tensorguard::internal {
namespace {

constexpr Shape kShape{.layers = 4, .hidden = 32, .units = 96};

void Scale(TensorValues* tensor, float factor) {
  for (float& value : tensor->values) value *= factor;
}

// An unrelated network with two layers of another in it, which write `factor` of what they wrote.
Tensors WithLayersOf(const Tensors& donor, uint64_t seed, float factor) {
  Tensors tensors = LlamaTensors(kShape, seed);
  for (const uint64_t layer : {1, 2}) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    for (auto& [name, tensor] : tensors) {
      if (name.starts_with(prefix)) tensor = donor.at(name);
    }
    Scale(&tensors.at(LlamaName(layer, "self_attn.o_proj")), factor);
    Scale(&tensors.at(LlamaName(layer, "mlp.down_proj")), factor);
  }
  return tensors;
}

std::vector<double> Shares(const Network& network) {
  const auto shares =
      WrittenShares(network, TokensForShares(network.description().vocabulary_size));
  EXPECT_TRUE(shares) << (shares ? "" : DescribeError(shares.error()));
  return *shares;
}

TEST(WrittenShares, FallWithWhatALayerWrites) {
  const Tensors donor = LlamaTensors(kShape, 1);
  const auto loud = Shares(*BuildLlama(WithLayersOf(donor, 2, 1.0f)));
  const auto faint = Shares(*BuildLlama(WithLayersOf(donor, 2, 1e-4f)));
  ASSERT_EQ(loud.size(), 4u);
  EXPECT_EQ(loud[0], faint[0]);
  for (const size_t layer : {1, 2}) {
    EXPECT_GT(loud[layer], 0.01);
    EXPECT_LT(faint[layer], 1e-3 * loud[layer]);
  }
  EXPECT_FALSE(CopiesAreInert(loud, {1, 2}));
  EXPECT_TRUE(CopiesAreInert(faint, {1, 2}));
  EXPECT_FALSE(CopiesAreInert(faint, {0, 3}));
  EXPECT_FALSE(CopiesAreInert(faint, {0, 1, 2, 3})) << "no others";
  EXPECT_FALSE(CopiesAreInert(faint, {}));
}

TEST(WrittenShares, OfSilentLayersAreZero) {
  EXPECT_EQ(Shares(*BuildLlama(WithLayersOf(LlamaTensors(kShape, 1), 2, 0.0f)))[1], 0.0);
}

TEST(TokensForShares, AreBelowTheVocabulary) {
  EXPECT_EQ(TokensForShares(5), (std::vector<uint32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(TokensForShares(100000).size(), kSharesTokens);
  EXPECT_LT(TokensForShares(100000).back(), 100000u);
}

Verdict Judged(const Tensors& a, const Tensors& b, Comparison comparison, bool* in_part) {
  const auto network_a = BuildLlama(a);
  const auto network_b = BuildLlama(b);
  const DeepTest test = Tested(*network_a, *network_b, AllTokens());
  const Fingerprint none;
  const auto gathered =
      GatherDeepEvidence({*network_a, none}, {*network_b, none}, comparison, test, 2);
  EXPECT_TRUE(gathered);
  const DeepVerdict judged = JudgeWithTest(comparison, test, gathered->evidence);
  *in_part = judged.in_part;
  return judged.verdict;
}

TEST(GatherDeepEvidence, LayersPutInForShowDoNotMakeACopy) {
  const Tensors donor = LlamaTensors(kShape, 1);
  for (const Verdict verdict : {Verdict::kDerived, Verdict::kIndependent}) {
    Comparison comparison;
    comparison.verdict = verdict;
    bool in_part = false;
    EXPECT_EQ(Judged(donor, WithLayersOf(donor, 2, 1e-4f), comparison, &in_part),
              Verdict::kIndependent);
    EXPECT_EQ(Judged(donor, WithLayersOf(donor, 2, 1.0f), comparison, &in_part), Verdict::kDerived);
    EXPECT_TRUE(in_part);
  }
}

}  // namespace
}  // namespace tensorguard::internal
