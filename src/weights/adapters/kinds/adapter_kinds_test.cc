#include "weights/adapters/kinds/adapter_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/memory_weights.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "weights/adapters/adapter.h"
#include "weights/adapters/kinds/drawn_numbers.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Tensors = std::vector<BuiltTensor>;

BuiltTensor Numbers(const std::string& name, std::vector<uint64_t> shape) {
  uint64_t count = 1;
  for (const uint64_t size : shape) count *= size;
  std::vector<float> values(count);
  for (uint64_t i = 0; i < count; ++i) values[i] = 0.1f * static_cast<float>(i % 7) - 0.2f;
  return F32Tensor(name, std::move(shape), values);
}

// A base of one matrix q.weight [4, 6].
Result<std::shared_ptr<const WeightSource>> Merge(const std::string& config,
                                                  const Tensors& tensors) {
  const ScratchFolder folder;
  folder.Write("adapter_config.json", config);
  folder.Write("adapter_model.safetensors", BuildSafetensors(tensors));
  std::vector<MemoryTensor> base = {
      {"q.weight", {4, 6}, [](uint64_t i) { return static_cast<float>(i); }, DType::kF32}};
  return MergeAdapter(std::make_shared<MemoryWeights>(std::move(base)), folder.path());
}

std::vector<float> Whole(const WeightSource& weights) {
  std::vector<float> values(24);
  EXPECT_TRUE(weights.ReadFloat32(0, 0, values));
  return values;
}

TEST(AdapterKinds, EachHasPartsAndAChangeAndNoNameTwice) {
  for (const AdapterKind& kind : AdapterKinds()) {
    EXPECT_FALSE(kind.parts.empty()) << kind.type;
    EXPECT_NE(kind.change, nullptr) << kind.type;
    EXPECT_EQ(FindAdapterKind(kind.type), &kind);
  }
  EXPECT_EQ(FindAdapterKind("LORA"), nullptr);
}

TEST(AdapterKinds, ABlocksNumbersDoNotDependOnWhereItBegins) {
  const std::pair<const char*, Tensors> adapters[] = {
      {R"({"peft_type": "LOHA", "r": 2})",
       {Numbers("q.hada_w1_a", {4, 2}), Numbers("q.hada_w1_b", {2, 6}),
        Numbers("q.hada_w2_a", {4, 2}), Numbers("q.hada_w2_b", {2, 6})}},
      {R"({"peft_type": "HRA"})", {Numbers("q.hra_u", {6, 2})}},
      {R"({"peft_type": "OFT"})", {Numbers("q.oft_R.weight", {2, 3})}},
      {R"({"peft_type": "FOURIERFT"})", {Numbers("q.fourierft_spectrum", {5})}},
      {R"({"peft_type": "WAVEFT"})", {Numbers("q.waveft_spectrum", {5})}},
  };
  for (const auto& [config, tensors] : adapters) {
    auto merged = Merge(config, tensors);
    ASSERT_TRUE(merged) << config << DescribeError(merged.error());
    const auto whole = Whole(**merged);
    for (uint64_t first = 0; first < 24; first += 5) {
      std::vector<float> part(std::min<uint64_t>(5, 24 - first));
      ASSERT_TRUE((*merged)->ReadFloat32(0, first, part));
      for (size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], whole[first + i]) << config;
    }
  }
}

// What turns inputs keeps the length of every row.
TEST(AdapterKinds, OrthogonalKindsKeepLengths) {
  const std::pair<const char*, Tensors> adapters[] = {
      {R"({"peft_type": "HRA"})", {Numbers("q.hra_u", {6, 2})}},
      {R"({"peft_type": "HRA", "apply_GS": true})", {Numbers("q.hra_u", {6, 2})}},
      {R"({"peft_type": "OFT"})", {Numbers("q.oft_R.weight", {2, 3})}},
      {R"({"peft_type": "OFT", "block_share": true})", {Numbers("q.oft_R.weight", {1, 3})}},
  };
  for (const auto& [config, tensors] : adapters) {
    auto merged = Merge(config, tensors);
    ASSERT_TRUE(merged) << config << DescribeError(merged.error());
    const auto values = Whole(**merged);
    for (size_t row = 0; row < 4; ++row) {
      double before = 0;
      double after = 0;
      for (size_t i = 6 * row; i < 6 * row + 6; ++i) {
        before += static_cast<double>(i * i);
        after += static_cast<double>(values[i]) * values[i];
      }
      EXPECT_NEAR(std::sqrt(after), std::sqrt(before), 1e-4) << config;
    }
  }
}

TEST(AdapterKinds, WhatDoesNotFitIsAnError) {
  struct Case {
    const char* config;
    Tensors tensors;
    ErrorKind kind;
    const char* problem;
  };
  const Case cases[] = {
      {R"({"peft_type": "LOHA"})",
       {Numbers("q.hada_w1_a", {4, 2})},
       ErrorKind::kBadFile,
       "a part of the adapter is missing"},
      {R"({"peft_type": "LOHA"})",
       {Numbers("q.hada_w1_a", {3, 2})},
       ErrorKind::kBadFile,
       "another shape than its module"},
      {R"({"peft_type": "LOKR"})",
       {Numbers("q.lokr_w1", {2, 2}), Numbers("q.lokr_w2", {2, 2})},
       ErrorKind::kMismatch,
       "a base of another shape"},
      {R"({"peft_type": "SHIRA"})",
       {F32Tensor("q.shira_weight", {1}, std::vector<float>{1}),
        F32Tensor("q.shira_indices", {2, 1}, std::vector<float>{4, 0})},
       ErrorKind::kMismatch,
       "a base of another shape"},
      {R"({"peft_type": "VBLORA", "topk": 9})",
       {Numbers("vblora_vector_bank", {3, 2}), Numbers("q.vblora_logits_A", {1, 3, 3}),
        Numbers("q.vblora_logits_B", {2, 1, 3})},
       ErrorKind::kMismatch,
       "a base of another shape"},
      {R"({"peft_type": "RANDLORA"})",
       {Numbers("q.randlora_lambda", {1, 4}), Numbers("q.randlora_gamma", {4, 4})},
       ErrorKind::kUnsupported,
       "is not in the file"},
      {R"({"peft_type": "OFT", "coft": true})",
       {Numbers("q.oft_R.weight", {2, 3})},
       ErrorKind::kUnsupported,
       "coft is not supported"},
      {R"({"peft_type": "OFT"})",
       {Numbers("q.oft_R.weight", {2, 4})},
       ErrorKind::kMismatch,
       "a base of another shape"},
      {R"({"peft_type": "HRA", "fan_in_fan_out": true})",
       {Numbers("q.hra_u", {6, 2})},
       ErrorKind::kUnsupported,
       "stores [inputs, outputs]"},
      {R"({"peft_type": "HRA"})",
       {Numbers("k.hra_u", {6, 2})},
       ErrorKind::kMismatch,
       "that the base does not have"},
      {R"({"peft_type": "HRA"})",
       {F32Tensor("q.hra_u", {6, 1}, std::vector<float>(6, 0))},
       ErrorKind::kBadFile,
       "has no direction"},
      {R"({"peft_type": "HRA", "apply_GS": 3})",
       {Numbers("q.hra_u", {6, 2})},
       ErrorKind::kBadFile,
       "apply_GS has the wrong type"},
  };
  for (const Case& each : cases) {
    const auto merged = Merge(each.config, each.tensors);
    ASSERT_FALSE(merged) << each.config;
    EXPECT_EQ(merged.error().kind, each.kind) << each.config << DescribeError(merged.error());
    EXPECT_THAT(merged.error().problem, HasSubstr(each.problem)) << each.config;
  }
}

// torch.randperm(10, generator=torch.Generator().manual_seed(777)).
TEST(DrawPlaces, AreThoseOfPyTorch) {
  EXPECT_THAT(DrawPlaces(10, 10, 777), ElementsAre(5, 9, 0, 3, 1, 7, 4, 8, 6, 2));
  EXPECT_THAT(DrawPlaces(1, 1, 777), ElementsAre(0));
}

// torch.empty(4).uniform_(-1, 1, generator=torch.Generator().manual_seed(5)).
TEST(UniformNumbers, AreThoseOfPyTorch) {
  UniformNumbers numbers(5);
  EXPECT_THAT(numbers.Draw(4, -1, 1),
              ElementsAre(0.660503745f, -0.747778177f, 0.81493938f, 0.639854074f));
}

}  // namespace
}  // namespace tensorguard::internal
