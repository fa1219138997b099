#include "paper/paper_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "paper/inputs/random_numbers.h"
#include "tests/support/memory_weights.h"
#include "tests/support/shared_data.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;

// Matrices with ever other values; a few of each kind, so that every feature exists.
MemoryWeights SmallModel() {
  std::map<std::string, TensorValues> tensors;
  TorchRandom random(5);
  const auto add = [&](const std::string& name, uint64_t rows, uint64_t columns) {
    tensors[name] = {{rows, columns}, random.Normal(rows * columns)};
  };
  add("embed_tokens.weight", 50, 16);
  add("lm_head.weight", 50, 16);
  for (const char* layer : {"0", "1", "16"}) {
    const std::string prefix = std::string("layers.") + layer;
    add(prefix + ".self_attn.q_proj.weight", 16, 16);
    add(prefix + ".mlp.up_proj.weight", 40, 16);
    add(prefix + ".mlp.down_proj.weight", 16, 40);
    tensors[prefix + ".norm.weight"] = {{16}, std::vector<float>(16, 1.0f)};
  }
  return WeightsOf(tensors);
}

TEST(ComputePaperProfile, LeavesOutLayersAbove15AndFeaturesWithoutTensors) {
  const auto profile = ComputePaperProfile(SmallModel(), "small");
  ASSERT_TRUE(profile);
  const PaperFeatures& features = profile->features;
  EXPECT_EQ(features.model_name, "small");
  EXPECT_EQ(features.values.at("num_layers"), 8);
  EXPECT_EQ(features.total_params, 2 * 800 + 2 * (256 + 2 * 640 + 16));
  EXPECT_FALSE(features.values.contains("norm_mean"));
  EXPECT_TRUE(features.values.contains("embedding_norm"));
  for (const std::string& name : features.selected_tensors) {
    EXPECT_THAT(name, Not(HasSubstr("layers.16")));
  }
}

TEST(ComputePaperProfile, SameBytesForAnyNumberOfThreads) {
  const MemoryWeights model = SmallModel();
  const auto one = ComputePaperProfile(model, "small", {.threads = 1});
  for (const unsigned threads : {2u, 16u}) {
    const auto many = ComputePaperProfile(model, "small", {.threads = threads});
    ASSERT_TRUE(one && many);
    EXPECT_EQ(one->features.values, many->features.values);
  }
}

TEST(ComputePaperProfile, ProgressEndsAtTheTotal) {
  Progress last;
  std::string last_tensor;
  PaperProfileOptions options;
  options.on_progress = [&](const Progress& progress) { last = progress; };
  const auto profile = ComputePaperProfile(SmallModel(), "small", options);
  ASSERT_TRUE(profile);
  EXPECT_GT(last.bytes_done, 0u);
  EXPECT_EQ(last.bytes_done, last.bytes_total);
  EXPECT_EQ(profile->bytes_read, last.bytes_total);
}

TEST(ComputePaperProfile, AModelWithoutMatricesIsAnError) {
  const auto profile = ComputePaperProfile(WeightsOf({{"bias", {{2}, {1, 2}}}}), "none");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().problem, "model has no matrix to take a fingerprint of");
}

TEST(ComputePaperProfile, LeavesOutAMatrixOfZerosAndSaysSo) {
  const TensorValues zeros = {{4, 4}, std::vector<float>(16, 0.0f)};
  const TensorValues numbers = {{4, 4}, TorchRandom(5).Normal(16)};
  const auto with = ComputePaperProfile(WeightsOf({{"a", numbers}, {"z", zeros}}), "m");
  const auto without = ComputePaperProfile(WeightsOf({{"a", numbers}}), "m");
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->zero_tensors, std::vector<std::string>{"z"});
  EXPECT_EQ(with->features.selected_tensors, std::vector<std::string>{"a"});
  EXPECT_EQ(with->features.values, without->features.values);
}

TEST(ComputePaperProfile, AModelOfZerosIsAnError) {
  const auto profile =
      ComputePaperProfile(WeightsOf({{"w", {{4, 4}, std::vector<float>(16, 0.0f)}}}), "zeros");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().problem, "all weights are zero, so there is no gradient");
  EXPECT_EQ(profile.error().tensor, "w");
}

TEST(ComputePaperProfile, ASingleWeightIsAnError) {
  const auto profile = ComputePaperProfile(WeightsOf({{"w", {{1, 1}, {2.0f}}}}), "one");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().problem, "too few weights for a distribution of gradients");
}

// The features that the reference code computes on the CPU, model by model.
class GoldenModel : public testing::TestWithParam<std::string> {};

TEST_P(GoldenModel, FeaturesEqualTheReferences) {
  const std::string& name = GetParam();
  const auto golden_path = SharedData("reference/golden/" + name + "_features.json");
  SKIP_WITHOUT(golden_path);
  SKIP_WITHOUT(SharedData("zoo/" + name));

  const auto golden = ReadJsonFile(golden_path);
  ASSERT_TRUE(golden);
  const auto weights = OpenStoredWeights(SharedData("zoo/" + name));
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  const auto profile = ComputePaperProfile(**weights, name);
  ASSERT_TRUE(profile) << DescribeError(profile.error());
  const PaperFeatures& features = profile->features;

  EXPECT_EQ(features.selected_tensors,
            golden->at("selected_layers").get<std::vector<std::string>>());
  EXPECT_EQ(features.total_params, golden->at("total_params").get<uint64_t>());
  size_t compared = 0;
  for (const auto& [key, value] : golden->items()) {
    if (!value.is_number() || key == "total_params") continue;
    ASSERT_TRUE(features.values.contains(key)) << key;
    const double expected = value.get<double>();
    const double found = features.values.at(key);
    // A mean is a sum that cancels: its error has the size of what cancels, not of what is left.
    const double tolerance = key.ends_with("_mean") ? 3e-9 : 1e-4 * std::abs(expected);
    EXPECT_NEAR(found, expected, tolerance) << key;
    ++compared;
  }
  EXPECT_EQ(compared, features.values.size());
}

INSTANTIATE_TEST_SUITE_P(
    Zoo, GoldenModel,
    testing::Values("alder", "alder--abliterated", "alder--cpt", "alder--depth-up",
                    "alder--distill", "alder--int4", "alder--launder-all", "alder--launder-all-sft",
                    "alder--launder-perm", "alder--launder-rot", "alder--launder-scale",
                    "alder--lora", "alder--merge-linear", "alder--merge-ties", "alder--prune-depth",
                    "alder--prune-ffn", "alder--sft-of-sft", "alder--sft1", "alder--sft2",
                    "alder--upcycle-moe", "alder--vocab-ext", "alder--vocab-trim", "birch",
                    "birch--cpt", "birch--distill", "birch--launder-perm", "birch--sft1", "cedar",
                    "cedar--abliterated", "cedar--cpt", "cedar--distill", "cedar--launder-all",
                    "cedar--launder-all-sft", "cedar--launder-rot", "cedar--lora",
                    "cedar--prune-depth", "cedar--sft1", "cedar--vocab-trim", "elm", "elm--cpt",
                    "elm--distill", "elm--launder-perm", "elm--sft1", "ginkgo", "ginkgo--sft1",
                    "hazel", "hazel--int4", "hazel--sft1"),
    [](const testing::TestParamInfo<std::string>& model) {
      std::string name = model.param;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace tensorguard::internal
