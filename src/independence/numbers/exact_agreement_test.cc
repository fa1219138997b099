#include "independence/numbers/exact_agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/unit_networks.h"

namespace tensorguard::internal {
namespace {

// By plain loops over the whole matrices.
double PlainCosine(const TensorValues& a, const TensorValues& b) {
  double product = 0.0;
  double square_a = 0.0;
  double square_b = 0.0;
  for (size_t i = 0; i < a.values.size(); ++i) {
    product += static_cast<double>(a.values[i]) * static_cast<double>(b.values[i]);
    square_a += static_cast<double>(a.values[i]) * static_cast<double>(a.values[i]);
    square_b += static_cast<double>(b.values[i]) * static_cast<double>(b.values[i]);
  }
  return product / std::sqrt(square_a * square_b);
}

ExactAgreement Measured(const Network& a, const Network& b, std::optional<double> stored = {},
                        unsigned threads = 2) {
  auto pairs = CounterpartsByPlace(a, b);
  for (WeightsToCompare& pair : pairs) pair.stored = stored;
  const auto measured = MeasureExactAgreement(a, b, pairs, threads);
  EXPECT_TRUE(measured);
  return *measured;
}

TEST(MeasureExactAgreement, EqualsPlainLoops) {
  const Shape shape{.layers = 2, .hidden = 28, .units = 45};
  const Tensors a = LlamaTensors(shape, 1);
  Tensors b = a;
  AddNoise(&b, 0.8f);
  const ExactAgreement measured = Measured(*BuildLlama(a), *BuildLlama(b));
  ASSERT_EQ(measured.pairs.size(), 2u * 7u);
  for (const ExactPair& pair : measured.pairs) {
    EXPECT_EQ(pair.tensor_a, pair.tensor_b);
    EXPECT_NEAR(pair.cosine, PlainCosine(a.at(pair.tensor_a), b.at(pair.tensor_b)), 1e-6);
    EXPECT_NEAR(pair.contrast, 1.0 / std::sqrt(1.64), 0.1);
    EXPECT_FALSE(pair.forged);
  }
}

TEST(MeasureExactAgreement, NamesLikenessThatTheNumbersDoNotHave) {
  const auto a = RandomNetwork({}, 2);
  const auto b = RandomNetwork({}, 3);
  const ExactAgreement forged = Measured(*a, *b, 0.98);
  EXPECT_EQ(forged.forged.size(), forged.pairs.size());
  EXPECT_THAT(forged.forged, testing::Contains(LlamaName(1, "mlp.up_proj")));
  EXPECT_THAT(Measured(*a, *b, 0.05).forged, testing::IsEmpty());
  EXPECT_THAT(Measured(*a, *a, 0.98).forged, testing::IsEmpty());
}

TEST(MeasureExactAgreement, AMeanOrOneHugeNumberIsNoContrast) {
  Tensors a = LlamaTensors({}, 4);
  Tensors b = LlamaTensors({}, 5);
  for (Tensors* tensors : {&a, &b}) {
    for (auto& [name, tensor] : *tensors) {
      if (tensor.shape.size() != 2) continue;
      for (float& value : tensor.values) value += 0.5f;
      tensor.values[0] = 1000.0f;
    }
  }
  for (const ExactPair& pair : Measured(*BuildLlama(a), *BuildLlama(b)).pairs) {
    EXPECT_GT(pair.cosine, 0.9);
    EXPECT_LT(std::abs(pair.contrast), 0.35) << pair.tensor_a;
  }
}

TEST(MeasureExactAgreement, IsTheSameForAnyThreads) {
  const auto a = RandomNetwork({}, 6);
  const auto b = RandomNetwork({}, 7);
  const ExactAgreement one = Measured(*a, *b, {}, 1);
  const ExactAgreement four = Measured(*a, *b, {}, 4);
  for (size_t i = 0; i < one.pairs.size(); ++i) {
    EXPECT_EQ(one.pairs[i].cosine, four.pairs[i].cosine);
    EXPECT_EQ(one.pairs[i].contrast, four.pairs[i].contrast);
  }
}

TEST(MeasureExactAgreement, OfZeroWeightsIsZero) {
  Tensors zero = LlamaTensors({}, 8);
  for (auto& [name, tensor] : zero) std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
  const ExactAgreement measured = Measured(*RandomNetwork({}, 8), *BuildLlama(zero), 0.9);
  for (const ExactPair& pair : measured.pairs) {
    EXPECT_EQ(pair.cosine, 0.0);
    EXPECT_EQ(pair.contrast, 0.0);
  }
}

TEST(MeasureExactAgreement, NamesTheTensorThatIsNotFinite) {
  Tensors broken = LlamaTensors({}, 9);
  broken.at(LlamaName(0, "self_attn.q_proj")).values[3] = std::numeric_limits<float>::infinity();
  const auto a = RandomNetwork({}, 9);
  const auto b = BuildLlama(broken);
  const auto measured = MeasureExactAgreement(*a, *b, CounterpartsByPlace(*a, *b), 2);
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().tensor, LlamaName(0, "self_attn.q_proj"));
}

}  // namespace
}  // namespace tensorguard::internal
