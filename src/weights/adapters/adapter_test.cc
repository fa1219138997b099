#include "weights/adapters/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "tests/support/memory_weights.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/torch_builder.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::Pointwise;

using Tensors = std::vector<BuiltTensor>;

// An adapter folder of a config and tensors, merged into `base`.
Result<std::shared_ptr<const WeightSource>> Merge(std::vector<MemoryTensor> base,
                                                  const std::string& config,
                                                  const Tensors& tensors) {
  const ScratchFolder folder;
  folder.Write("adapter_config.json", config);
  folder.Write("adapter_model.safetensors", BuildSafetensors(tensors));
  return MergeAdapter(std::make_shared<MemoryWeights>(std::move(base)), folder.path());
}

std::vector<float> ReadAll(const WeightSource& weights, const std::string& name) {
  for (size_t i = 0; i < weights.tensors().size(); ++i) {
    if (weights.tensors()[i].name != name) continue;
    std::vector<float> values(weights.tensors()[i].element_count);
    auto read = weights.ReadFloat32(i, 0, values);
    EXPECT_TRUE(read) << DescribeError(read.error());
    return values;
  }
  ADD_FAILURE() << "no tensor " << name;
  return {};
}

// One tensor of the merged model; fails the test if the merge does.
std::vector<float> Merged(std::vector<MemoryTensor> base, const std::string& config,
                          const Tensors& tensors, const std::string& name) {
  auto merged = Merge(std::move(base), config, tensors);
  if (!merged) {
    ADD_FAILURE() << DescribeError(merged.error());
    return {};
  }
  return ReadAll(**merged, name);
}

constexpr const char* kRankOne = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 2})";

// A = [1 10], B = [1 2 3]': B A = [[1 10] [2 20] [3 30]].
Tensors RankOnePair(const std::string& module) {
  return {F32Tensor("base_model.model." + module + ".lora_A.weight", {1, 2}, {1, 10}),
          F32Tensor("base_model.model." + module + ".lora_B.weight", {3, 1}, {1, 2, 3})};
}

MemoryTensor Zeros(const std::string& name, std::vector<uint64_t> shape) {
  return {name, std::move(shape), [](uint64_t) { return 0.0f; }};
}

TEST(AdapterTest, AddsScaledProduct) {
  const auto base = {MemoryTensorOf("m.q.weight", {3, 2}, {100, 200, 300, 400, 500, 600}),
                     MemoryTensorOf("m.other.weight", {2}, {7, 8})};
  EXPECT_THAT(Merged(base, kRankOne, RankOnePair("m.q"), "m.q.weight"),
              ElementsAre(102, 220, 304, 440, 506, 660));
  EXPECT_THAT(Merged(base, kRankOne, RankOnePair("m.q"), "m.other.weight"), ElementsAre(7, 8));
}

TEST(AdapterTest, RecognisesAdapterFolders) {
  const ScratchFolder folder;
  EXPECT_FALSE(*IsAdapterFolder(folder.path()));
  folder.Write("adapter_config.json", "{}");
  EXPECT_TRUE(*IsAdapterFolder(folder.path()));
}

TEST(AdapterTest, DefaultsAreThoseOfPeft) {
  Tensors tensors = {F32Tensor("m.q.lora_A.weight", {8, 1}, std::vector<float>(8, 1)),
                     F32Tensor("m.q.lora_B.weight", {1, 8}, std::vector<float>(8, 1))};
  EXPECT_THAT(
      Merged({Zeros("m.q.weight", {1, 1})}, R"({"peft_type": "LORA"})", tensors, "m.q.weight"),
      ElementsAre(8));
}

TEST(AdapterTest, RankStabilisedScalingDividesByTheRoot) {
  const Tensors tensors = {F32Tensor("q.lora_A.weight", {4, 1}, {1, 0, 0, 0}),
                           F32Tensor("q.lora_B.weight", {1, 4}, {1, 0, 0, 0})};
  EXPECT_THAT(Merged({Zeros("q.weight", {1, 1})},
                     R"({"peft_type": "LORA", "r": 4, "lora_alpha": 6, "use_rslora": true})",
                     tensors, "q.weight"),
              ElementsAre(3));
}

TEST(AdapterTest, FirstPatternInTheFileDecides) {
  // "zz" sorts behind "aa": the order of the file must win, not that of the letters.
  const std::string config = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 2,
      "alpha_pattern": {"zz.q": 30, ".*q": 500, "layers.[0-9].k": 7}, "rank_pattern": {"k": 2}})";
  Tensors tensors;
  std::vector<MemoryTensor> base;
  for (const std::string module : {"zz.q", "aa.q", "zz.v"}) {
    tensors.push_back(F32Tensor(module + ".lora_A.weight", {1, 1}, {1}));
    tensors.push_back(F32Tensor(module + ".lora_B.weight", {1, 1}, {1}));
    base.push_back(Zeros(module + ".weight", {1, 1}));
  }
  tensors.push_back(F32Tensor("layers.3.k.lora_A.weight", {2, 1}, {1, 1}));
  tensors.push_back(F32Tensor("layers.3.k.lora_B.weight", {1, 2}, {1, 0}));
  base.push_back(Zeros("layers.3.k.weight", {1, 1}));
  EXPECT_THAT(Merged(base, config, tensors, "zz.q.weight"), ElementsAre(30));
  EXPECT_THAT(Merged(base, config, tensors, "aa.q.weight"), ElementsAre(500));
  EXPECT_THAT(Merged(base, config, tensors, "zz.v.weight"), ElementsAre(2));
  EXPECT_THAT(Merged(base, config, tensors, "layers.3.k.weight"), ElementsAre(3.5));
}

TEST(AdapterTest, TransposesForBasesStoredInputsFirst) {
  EXPECT_THAT(Merged({Zeros("m.q.weight", {2, 3})}, kRankOne, RankOnePair("m.q"), "m.q.weight"),
              ElementsAre(2, 4, 6, 20, 40, 60));
}

// A square matrix does not tell how it lies; the config does, unless other matrices contradict it.
TEST(AdapterTest, SquareMatricesFollowTheConfigAndTheOtherMatrices) {
  const Tensors square = {F32Tensor("s.lora_A.weight", {1, 2}, {1, 10}),
                          F32Tensor("s.lora_B.weight", {2, 1}, {1, 2})};
  Tensors with_other = RankOnePair("m");
  with_other.insert(with_other.end(), square.begin(), square.end());
  const std::string plain = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1})";
  const std::string fan_in = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1,
                                 "fan_in_fan_out": true})";
  const MemoryTensor base = Zeros("s.weight", {2, 2});
  const auto outputs_first = ElementsAre(1, 10, 2, 20);
  const auto inputs_first = ElementsAre(1, 2, 10, 20);
  EXPECT_THAT(Merged({base}, plain, square, "s.weight"), outputs_first);
  EXPECT_THAT(Merged({base}, fan_in, square, "s.weight"), inputs_first);
  EXPECT_THAT(Merged({base, Zeros("m.weight", {2, 3})}, plain, with_other, "s.weight"),
              inputs_first);
  EXPECT_THAT(Merged({base, Zeros("m.weight", {3, 2})}, fan_in, with_other, "s.weight"),
              outputs_first);
}

TEST(AdapterTest, EmbeddingsAreTablesOfInputsByOutputs) {
  // Three tokens of two dimensions: delta = (B A)'.
  const Tensors tensors = {F32Tensor("base_model.model.embed.lora_embedding_A", {1, 3}, {1, 2, 3}),
                           F32Tensor("base_model.model.embed.lora_embedding_B", {2, 1}, {1, 10})};
  EXPECT_THAT(Merged({Zeros("embed.weight", {3, 2})}, kRankOne, tensors, "embed.weight"),
              ElementsAre(2, 20, 4, 40, 6, 60));
  const Tensors square = {F32Tensor("embed.lora_embedding_A", {1, 2}, {1, 2}),
                          F32Tensor("embed.lora_embedding_B", {2, 1}, {1, 10})};
  EXPECT_THAT(Merged({Zeros("embed.weight", {2, 2})}, kRankOne, square, "embed.weight"),
              ElementsAre(2, 20, 4, 40));
}

constexpr const char* kDora = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1, "use_dora": true})";

TEST(AdapterTest, DoraRescalesOutputs) {
  // W + B A = [[3 4] [0 2]]: row lengths 5 and 2.
  const MemoryTensor base = MemoryTensorOf("q.weight", {2, 2}, {2, 4, -1, 2});
  Tensors tensors = {F32Tensor("q.lora_A.weight", {1, 2}, {1, 0}),
                     F32Tensor("q.lora_B.weight", {2, 1}, {1, 1}),
                     F32Tensor("q.lora_magnitude_vector", {2}, {10, 3})};
  EXPECT_THAT(Merged({base}, kDora, tensors, "q.weight"), Pointwise(FloatEq(), {6, 8, 0, 3}));
  tensors[2].name = "q.lora_magnitude_vector.default.weight";
  EXPECT_THAT(Merged({base}, kDora, tensors, "q.weight"), Pointwise(FloatEq(), {6, 8, 0, 3}));
}

TEST(AdapterTest, DoraRescalesColumnsWhereInputsComeFirst) {
  // Three outputs, two inputs, stored [2, 3]: W + (B A)' = [[3 0 1] [4 2 0]].
  const MemoryTensor base = MemoryTensorOf("q.weight", {2, 3}, {2, -1, 0, 4, 2, 0});
  const Tensors tensors = {F32Tensor("q.lora_A.weight", {1, 2}, {1, 0}),
                           F32Tensor("q.lora_B.weight", {3, 1}, {1, 1, 1}),
                           F32Tensor("q.lora_magnitude_vector", {3}, {10, 3, 7})};
  EXPECT_THAT(Merged({base}, kDora, tensors, "q.weight"), Pointwise(FloatEq(), {6, 0, 7, 8, 3, 0}));
}

TEST(AdapterTest, DoraOfEmbeddingsRescalesColumns) {
  const MemoryTensor base = MemoryTensorOf("e.weight", {2, 2}, {2, 0, 4, 2});
  const Tensors tensors = {F32Tensor("e.lora_embedding_A", {1, 2}, {1, 0}),
                           F32Tensor("e.lora_embedding_B", {2, 1}, {1, 0}),
                           F32Tensor("e.lora_magnitude_vector", {2}, {10, 3})};
  EXPECT_THAT(Merged({base}, kDora, tensors, "e.weight"), Pointwise(FloatEq(), {6, 0, 8, 3}));
}

TEST(AdapterTest, BiasOfLowRankMatrixIsScaledAndAdded) {
  Tensors tensors = RankOnePair("q");
  tensors.push_back(F32Tensor("base_model.model.q.lora_B.bias", {3}, {1, 2, 3}));
  EXPECT_THAT(Merged({Zeros("q.weight", {3, 2}), MemoryTensorOf("q.bias", {3}, {10, 10, 10})},
                     kRankOne, tensors, "q.bias"),
              ElementsAre(12, 14, 16));
}

TEST(AdapterTest, WholeTensorsReplaceTheBases) {
  const std::string config = R"({"peft_type": "LORA", "r": 1, "lora_alpha": 2, "bias": "all",
                                 "modules_to_save": ["norm", "head"]})";
  Tensors tensors = RankOnePair("q");
  tensors.push_back(F32Tensor("base_model.model.q.base_layer.bias", {3}, {1, 2, 3}));
  tensors.push_back(F32Tensor("base_model.model.norm.modules_to_save.default.weight", {2}, {4, 5}));
  tensors.push_back(F32Tensor("base_model.model.head.dense.weight", {3, 1}, {6, 7, 8}));
  tensors.push_back(F32Tensor("base_model.model.head.extra.modules_to_save.weight", {1}, {9}));
  const std::vector<MemoryTensor> base = {Zeros("q.weight", {3, 2}), Zeros("q.bias", {3}),
                                          Zeros("norm.weight", {2}),
                                          Zeros("head.dense.weight", {2, 1})};
  auto merged = Merge(base, config, tensors);
  ASSERT_TRUE(merged) << DescribeError(merged.error());
  EXPECT_THAT(ReadAll(**merged, "q.bias"), ElementsAre(1, 2, 3));
  EXPECT_THAT(ReadAll(**merged, "norm.weight"), ElementsAre(4, 5));
  EXPECT_THAT(ReadAll(**merged, "head.dense.weight"), ElementsAre(6, 7, 8));
  EXPECT_THAT(ReadAll(**merged, "head.extra.weight"), ElementsAre(9));
  std::vector<std::string> names;
  for (const TensorInfo& info : (*merged)->tensors()) names.push_back(info.name);
  EXPECT_THAT(names, ElementsAre("head.dense.weight", "head.extra.weight", "norm.weight", "q.bias",
                                 "q.weight"));
  EXPECT_THAT((*merged)->tensors()[0].shape, ElementsAre(3, 1));
}

TEST(AdapterTest, EditsComeAfterReplacement) {
  const Tensors tensors = {F32Tensor("embed_tokens.lora_embedding_A", {1, 3}, {1, 2, 3}),
                           F32Tensor("embed_tokens.lora_embedding_B", {1, 1}, {1}),
                           F32Tensor("embed_tokens.base_layer.weight", {3, 1}, {100, 200, 300})};
  EXPECT_THAT(
      Merged({Zeros("embed_tokens.weight", {2, 1})}, kRankOne, tensors, "embed_tokens.weight"),
      ElementsAre(102, 204, 306));
}

TEST(AdapterTest, Ia3ScalesOutputsAndBiasOrInputs) {
  const std::string config = R"({"peft_type": "IA3", "feedforward_modules": ["fc2"]})";
  const Tensors tensors = {F32Tensor("base_model.model.k.ia3_l", {3, 1}, {2, 3, 4}),
                           F32Tensor("base_model.model.fc2.ia3_l", {1, 2}, {10, 100})};
  const std::vector<MemoryTensor> base = {
      MemoryTensorOf("k.weight", {3, 2}, {1, 1, 1, 1, 1, 1}),
      MemoryTensorOf("k.bias", {3}, {1, 1, 1}),
      MemoryTensorOf("fc2.weight", {3, 2}, {1, 2, 3, 4, 5, 6}),
      MemoryTensorOf("fc2.bias", {3}, {1, 1, 1}),
  };
  EXPECT_THAT(Merged(base, config, tensors, "k.weight"), ElementsAre(2, 2, 3, 3, 4, 4));
  EXPECT_THAT(Merged(base, config, tensors, "k.bias"), ElementsAre(2, 3, 4));
  EXPECT_THAT(Merged(base, config, tensors, "fc2.weight"), ElementsAre(10, 200, 30, 400, 50, 600));
  EXPECT_THAT(Merged(base, config, tensors, "fc2.bias"), ElementsAre(1, 1, 1));
}

TEST(AdapterTest, Ia3OfAPyTorchFile) {
  const BuiltTorchTensor factors = {.storage_elements = 3, .shape = {3, 1}, .strides = {1, 1}};
  const std::string state = PickleDict({{"base_model.model.k.ia3_l", PickleTensor(factors)}});
  const std::map<std::string, std::string> storages = {{"0", FloatBytes({2, 3, 4})}};
  for (const std::string& file :
       {BuildTorchZip(state, storages), BuildTorchLegacy(state, storages)}) {
    const ScratchFolder folder;
    folder.Write("adapter_config.json", R"({"peft_type": "IA3", "feedforward_modules": []})");
    folder.Write("adapter_model.bin", file);
    const auto merged = MergeAdapter(std::make_shared<MemoryWeights>(std::vector<MemoryTensor>{
                                         MemoryTensorOf("k.weight", {3, 2}, {1, 1, 1, 1, 1, 1})}),
                                     folder.path());
    ASSERT_TRUE(merged) << DescribeError(merged.error());
    EXPECT_THAT(ReadAll(**merged, "k.weight"), ElementsAre(2, 2, 3, 3, 4, 4));
  }
}

TEST(AdapterTest, Ia3FollowsOrientation) {
  const MemoryTensor base = MemoryTensorOf("k.weight", {2, 3}, {1, 1, 1, 1, 1, 1});
  EXPECT_THAT(Merged({base}, R"({"peft_type": "IA3", "feedforward_modules": []})",
                     {F32Tensor("k.ia3_l", {3, 1}, {2, 3, 4})}, "k.weight"),
              ElementsAre(2, 3, 4, 2, 3, 4));
  EXPECT_THAT(Merged({base}, R"({"peft_type": "IA3", "feedforward_modules": "k|v"})",
                     {F32Tensor("k.ia3_l", {1, 2}, {2, 3})}, "k.weight"),
              ElementsAre(2, 2, 2, 3, 3, 3));
  EXPECT_THAT(Merged({MemoryTensorOf("k.weight", {2, 2}, {1, 1, 1, 1})},
                     R"({"peft_type": "IA3", "fan_in_fan_out": true})",
                     {F32Tensor("k.ia3_l", {2, 1}, {2, 3})}, "k.weight"),
              ElementsAre(2, 3, 2, 3));
}

TEST(AdapterTest, MlxStoresTheTransposes) {
  const ScratchFolder folder;
  folder.Write("adapter_config.json", R"({"fine_tune_type": "lora",
      "lora_parameters": {"rank": 1, "scale": 2.0, "dropout": 0.0}})");
  folder.Write("adapters.safetensors",
               BuildSafetensors({F32Tensor("q.lora_a", {2, 1}, {1, 10}),
                                 F32Tensor("q.lora_b", {1, 3}, {1, 2, 3}),
                                 F32Tensor("embed.lora_a", {4, 1}, {1, 2, 3, 4}),
                                 F32Tensor("embed.lora_b", {1, 2}, {1, 10})}));
  auto merged = MergeAdapter(std::make_shared<MemoryWeights>(std::vector<MemoryTensor>{
                                 Zeros("q.weight", {3, 2}), Zeros("embed.weight", {4, 2})}),
                             folder.path());
  ASSERT_TRUE(merged) << DescribeError(merged.error());
  EXPECT_THAT(ReadAll(**merged, "q.weight"), ElementsAre(2, 20, 4, 40, 6, 60));
  EXPECT_THAT(ReadAll(**merged, "embed.weight"), ElementsAre(2, 20, 4, 40, 6, 60, 8, 80));
}

TEST(AdapterTest, FindsModulesUnderOtherWrappers) {
  const char* module = "model.layers.0.q";
  for (const char* in_base : {"model.layers.0.q", "layers.0.q", "language_model.model.layers.0.q",
                              "transformer.layers.0.q", "wrapper.model.layers.0.q"}) {
    const std::string name = std::string(in_base) + ".weight";
    EXPECT_THAT(Merged({Zeros(name, {3, 2})}, kRankOne, RankOnePair(module), name),
                ElementsAre(2, 20, 4, 40, 6, 60));
  }
}

// Independent reference: plain loops in double over the definition, for a matrix of several blocks.
TEST(AdapterTest, AgreesWithPlainLoopsAtAnyOffset) {
  constexpr uint64_t kOutputs = 301, kInputs = 703, kRank = 5;
  const auto number = [](uint64_t i, uint64_t seed) {
    return static_cast<float>(std::sin(0.37 * static_cast<double>(i * 7 + seed)));
  };
  std::vector<float> a(kRank * kInputs), b(kOutputs * kRank), magnitude(kOutputs);
  for (size_t i = 0; i < a.size(); ++i) a[i] = number(i, 1);
  for (size_t i = 0; i < b.size(); ++i) b[i] = number(i, 2);
  for (size_t i = 0; i < magnitude.size(); ++i) magnitude[i] = 1 + number(i, 3);
  for (const bool inputs_first : {false, true}) {
    for (const bool dora : {false, true}) {
      Tensors tensors = {F32Tensor("q.lora_A.weight", {kRank, kInputs}, a),
                         F32Tensor("q.lora_B.weight", {kOutputs, kRank}, b)};
      if (dora) tensors.push_back(F32Tensor("q.lora_magnitude_vector", {kOutputs}, magnitude));
      const std::vector<uint64_t> shape = {inputs_first ? kInputs : kOutputs,
                                           inputs_first ? kOutputs : kInputs};
      auto merged =
          Merge({{"q.weight", shape, [&](uint64_t i) { return number(i, 4); }}},
                dora ? R"({"peft_type": "LORA", "r": 5, "lora_alpha": 3, "use_dora": true})"
                     : R"({"peft_type": "LORA", "r": 5, "lora_alpha": 3})",
                tensors);
      ASSERT_TRUE(merged) << DescribeError(merged.error());

      std::vector<double> expected(kOutputs * kInputs);
      const auto at = [&](uint64_t output, uint64_t input) {
        return inputs_first ? input * kOutputs + output : output * kInputs + input;
      };
      for (uint64_t output = 0; output < kOutputs; ++output) {
        double square = 0;
        for (uint64_t input = 0; input < kInputs; ++input) {
          double product = 0;
          for (uint64_t k = 0; k < kRank; ++k) {
            product += static_cast<double>(b[output * kRank + k]) * a[k * kInputs + input];
          }
          const double value = number(at(output, input), 4) + 0.6 * product;
          expected[at(output, input)] = value;
          square += value * value;
        }
        for (uint64_t input = 0; dora && input < kInputs; ++input) {
          expected[at(output, input)] *= magnitude[output] / std::sqrt(square);
        }
      }
      const std::vector<float> whole = ReadAll(**merged, "q.weight");
      for (size_t i = 0; i < whole.size(); ++i) ASSERT_NEAR(whole[i], expected[i], 3e-6) << i;

      for (uint64_t first : {uint64_t{0}, uint64_t{1}, uint64_t{702}, uint64_t{100'003}}) {
        for (size_t count : {size_t{0}, size_t{1}, size_t{511}, size_t{1500}, size_t{70'001}}) {
          std::vector<float> block(count);
          ASSERT_TRUE((*merged)->ReadFloat32(0, first, block));
          EXPECT_TRUE(std::equal(block.begin(), block.end(), whole.begin() + first))
              << first << " " << count;
        }
      }
    }
  }
}

TEST(AdapterTest, ThreadsMayReadAtOnce) {
  const Tensors tensors = {F32Tensor("q.lora_A.weight", {1, 400}, std::vector<float>(400, 0.5)),
                           F32Tensor("q.lora_B.weight", {300, 1}, std::vector<float>(300, 0.25)),
                           F32Tensor("q.lora_magnitude_vector", {300}, std::vector<float>(300, 2))};
  const MemoryTensor base = {
      "q.weight", {300, 400}, [](uint64_t i) { return static_cast<float>(i % 17); }};
  const std::vector<float> expected = Merged({base}, kDora, tensors, "q.weight");
  auto merged = Merge({base}, kDora, tensors);
  ASSERT_TRUE(merged) << DescribeError(merged.error());
  std::vector<std::vector<float>> read(4);
  {
    std::vector<std::jthread> threads;
    for (auto& values : read) {
      threads.emplace_back([&] {
        values.resize(expected.size());
        if (!(*merged)->ReadFloat32(0, 0, values)) values.clear();
      });
    }
  }
  for (const auto& values : read) EXPECT_EQ(values, expected);
}

}  // namespace
}  // namespace tensorguard::internal
