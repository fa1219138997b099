#include "independence/numbers/number_agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>

#include "base/bfloat16.h"
#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"
#include "tests/support/unit_networks.h"

namespace tensorguard::internal {
namespace {

constexpr Shape kSmall{.layers = 2, .hidden = 24, .units = 40};
const std::string kMatrix = LlamaName(1, "mlp.down_proj");

float Rounded(float value, DType dtype) {
  if (dtype == DType::kBF16) return ToFloat32(RoundToBFloat16(value));
  if (dtype == DType::kF32) return value;
  const uint16_t bits = ToFloat16Bits(value);
  float wide = 0.0f;
  DecodeHalfFloats(std::as_bytes(std::span(&bits, 1)), std::span(&wide, 1));
  return wide;
}

Tensors Rounded(Tensors tensors, DType dtype) {
  for (auto& [name, tensor] : tensors) {
    for (float& value : tensor.values) value = Rounded(value, dtype);
  }
  return tensors;
}

// A network whose tensors say that they are of this type.
std::shared_ptr<const Network> Stored(const Tensors& tensors, DType dtype,
                                      const std::string& type = "llama") {
  std::vector<MemoryTensor> list;
  for (const auto& [name, tensor] : tensors) {
    list.push_back(MemoryTensorOf(name, tensor.shape, tensor.values));
    list.back().dtype = dtype;
  }
  Model model;
  model.name = "test";
  model.config = {{"model_type", type},       {"num_attention_heads", 4},
                  {"num_key_value_heads", 4}, {"n_head", 4},
                  {"n_positions", 16},        {"hidden_size", kSmall.hidden},
                  {"n_embd", kSmall.hidden},  {"vocab_size", kVocabulary}};
  model.weights = std::make_shared<MemoryWeights>(std::move(list));
  model.architecture = Understand(model.config, model.weights->tensors());
  const auto network = Network::Build(model);
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return *network;
}

std::optional<NumberAgreement> Compared(const Network& a, const Network& b, unsigned threads = 2) {
  auto agreement = CompareNumbers(a, b, threads);
  EXPECT_TRUE(agreement) << (agreement ? "" : DescribeError(agreement.error()));
  return *agreement;
}

TEST(CompareNumbers, OfACopyAreTheSame) {
  const Tensors tensors = LlamaTensors(kSmall, 1);
  const auto agreement = Compared(*Stored(tensors, DType::kF32), *Stored(tensors, DType::kF32));
  ASSERT_TRUE(agreement);
  EXPECT_TRUE(agreement->Same());
  EXPECT_EQ(agreement->weights, tensors.size());
  uint64_t numbers = 0;
  for (const auto& [name, tensor] : tensors) numbers += tensor.values.size();
  EXPECT_EQ(agreement->numbers, numbers);
  EXPECT_THAT(DescribeNumbers(*agreement), testing::HasSubstr("the same"));
}

TEST(CompareNumbers, OfOneModelInTwoTypesAreTheSameToRounding) {
  const Tensors tensors = LlamaTensors(kSmall, 2);
  const std::vector<DType> types = {DType::kF32, DType::kBF16, DType::kF16};
  for (const DType a : types) {
    for (const DType b : types) {
      if (a == b) continue;
      const auto agreement =
          Compared(*Stored(Rounded(tensors, a), a), *Stored(Rounded(tensors, b), b));
      ASSERT_TRUE(agreement);
      EXPECT_TRUE(agreement->SameToRounding()) << InfoOf(a).name << " " << InfoOf(b).name;
    }
  }
}

// All that bfloat16 holds of such sizes float16 holds as well.
TEST(CompareNumbers, OfABFloat16ModelAsFloat16AreTheSame) {
  Tensors tensors = Rounded(LlamaTensors(kSmall, 3), DType::kBF16);
  for (auto& [name, tensor] : tensors) {
    for (float& value : tensor.values) {
      if (std::abs(value) < 1e-3f) value = 0.0f;
    }
  }
  const auto agreement = Compared(*Stored(tensors, DType::kBF16), *Stored(tensors, DType::kF16));
  ASSERT_TRUE(agreement);
  EXPECT_TRUE(agreement->Same());
}

TEST(CompareNumbers, OneNumberOffByTwoPlacesIsNamed) {
  const Tensors tensors = LlamaTensors(kSmall, 4);
  for (const DType dtype : {DType::kBF16, DType::kF16}) {
    Tensors changed = Rounded(tensors, dtype);
    float& value = changed.at(kMatrix).values[5 * kSmall.units + 7];
    const int digits = dtype == DType::kBF16 ? 8 : 11;
    value += 2.0f * std::ldexp(1.0f, std::ilogb(value) - digits + 1);
    const auto agreement = Compared(*Stored(tensors, DType::kF32), *Stored(changed, dtype));
    ASSERT_TRUE(agreement);
    EXPECT_FALSE(agreement->Same() || agreement->SameToRounding());
    ASSERT_EQ(agreement->different.size(), 1u);
    const DifferentWeight& weight = agreement->different[0];
    EXPECT_EQ(weight.tensor_a, kMatrix);
    EXPECT_EQ(weight.different, 1u);
    EXPECT_EQ(weight.numbers, kSmall.hidden * kSmall.units);
    EXPECT_EQ(std::pair(weight.row, weight.column), std::pair(uint64_t{5}, uint64_t{7}));
    EXPECT_THAT(DescribeNumbers(*agreement), testing::HasSubstr("row 5, column 7"));
  }
}

TEST(CompareNumbers, InOneTypeOnePlaceIsADifference) {
  const Tensors tensors = Rounded(LlamaTensors(kSmall, 5), DType::kBF16);
  Tensors changed = tensors;
  float& value = changed.at("model.norm.weight").values[3];
  value += std::ldexp(1.0f, std::ilogb(value) - 7);
  const auto agreement = Compared(*Stored(tensors, DType::kBF16), *Stored(changed, DType::kBF16));
  ASSERT_TRUE(agreement);
  ASSERT_EQ(agreement->different.size(), 1u);
  EXPECT_EQ(agreement->different[0].tensor_b, "model.norm.weight");
  EXPECT_EQ(agreement->different[0].row, 3u);
}

TEST(CompareNumbers, NamesThePlaceInAMatrixThatIsStoredTurned) {
  const Tensors tensors = Gpt2Tensors(kSmall, 6);
  Tensors changed = tensors;
  // Stored [in, out]: input 4, output 9.
  changed.at("h.1.mlp.c_fc.weight").values[4 * kSmall.units + 9] += 1.0f;
  const auto agreement =
      Compared(*Stored(tensors, DType::kF32, "gpt2"), *Stored(changed, DType::kF32, "gpt2"));
  ASSERT_TRUE(agreement);
  ASSERT_EQ(agreement->different.size(), 1u);
  EXPECT_EQ(agreement->different[0].row, 9u);
  EXPECT_EQ(agreement->different[0].column, 4u);
}

TEST(CompareNumbers, AHeadThatRepeatsTheEmbeddingNeedNotBeStoredTwice) {
  Tensors stored_twice = LlamaTensors(kSmall, 7);
  stored_twice.at("lm_head.weight") = stored_twice.at("model.embed_tokens.weight");
  Tensors tied = stored_twice;
  tied.erase("lm_head.weight");
  const auto once = Stored(tied, DType::kF32);
  const auto twice = Stored(stored_twice, DType::kF32);
  for (const auto& agreement : {Compared(*once, *twice), Compared(*twice, *once)}) {
    ASSERT_TRUE(agreement);
    EXPECT_TRUE(agreement->Same());
  }
  stored_twice.at("lm_head.weight").values.back() += 1.0f;
  EXPECT_FALSE(Compared(*once, *Stored(stored_twice, DType::kF32)));
}

TEST(CompareNumbers, OfOtherModelsAreNotCounted) {
  const auto model = Stored(LlamaTensors(kSmall, 8), DType::kF32);
  EXPECT_FALSE(Compared(*model, *Stored(LlamaTensors(kSmall, 9), DType::kF32)));
  Shape wider = kSmall;
  wider.units = 48;
  EXPECT_FALSE(Compared(*model, *Stored(LlamaTensors(wider, 8), DType::kF32)));
  Shape deeper = kSmall;
  deeper.layers = 3;
  EXPECT_FALSE(Compared(*model, *Stored(LlamaTensors(deeper, 8), DType::kF32)));
}

TEST(CompareNumbers, AreTheSameForAnyThreads) {
  const Tensors tensors = LlamaTensors(kSmall, 10);
  Tensors changed = Rounded(tensors, DType::kBF16);
  for (float& value : changed.at(kMatrix).values) value *= 1.5f;
  const auto a = Stored(tensors, DType::kF32);
  const auto b = Stored(changed, DType::kBF16);
  EXPECT_EQ(DescribeNumbers(*Compared(*a, *b, 1)), DescribeNumbers(*Compared(*a, *b, 4)));
}

TEST(CompareNumbers, NameTheTensorThatIsNotFinite) {
  const Tensors tensors = LlamaTensors(kSmall, 11);
  Tensors broken = tensors;
  broken.at(kMatrix).values.back() = std::numeric_limits<float>::infinity();
  const auto agreement =
      CompareNumbers(*Stored(tensors, DType::kF32), *Stored(broken, DType::kF32), 2);
  ASSERT_FALSE(agreement);
  EXPECT_EQ(agreement.error().tensor, kMatrix);
}

}  // namespace
}  // namespace tensorguard::internal
