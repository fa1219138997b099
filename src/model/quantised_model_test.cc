// Quantised folders opened as models: with a config beside the weights, with an adapter on top, and
// written again as plain weights.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/convert.h"
#include "model/model.h"
#include "tests/support/quantised_builder.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kWidth = 32;

// A Llama of one layer, whose matrices are GPTQ of 4 bits.
struct QuantisedLlama {
  QuantisedMatrix query = MakeQuantisedMatrix(kWidth, kWidth, 4, 16, 1);
  QuantisedMatrix down = MakeQuantisedMatrix(kWidth, 2 * kWidth, 4, 16, 2);

  std::string File() const {
    std::vector<BuiltTensor> tensors = {
        F32Tensor("model.embed_tokens.weight", {8, kWidth}, std::vector<float>(8 * kWidth, 0.5f))};
    for (const auto& [name, matrix] :
         {std::pair("self_attn.q_proj", &query), std::pair("mlp.down_proj", &down)}) {
      const auto parts = GptqTensors(std::string("model.layers.0.") + name, *matrix, false);
      tensors.insert(tensors.end(), parts.begin(), parts.end());
    }
    return BuildSafetensors(tensors);
  }
};

constexpr const char* kConfig = R"({"model_type": "llama", "num_hidden_layers": 1,
    "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 16, "sym": false}})";
constexpr const char* kPlainConfig = R"({"model_type": "llama", "num_hidden_layers": 1})";

std::vector<float> ValuesOf(const Model& model, const std::string& name) {
  const auto& tensors = model.weights->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name != name) continue;
    std::vector<float> values(tensors[i].element_count);
    EXPECT_TRUE(model.weights->ReadFloat32(i, 0, values));
    return values;
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(QuantisedModel, HasTheTensorsAndParametersOfTheModelBefore) {
  const QuantisedLlama llama;
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", llama.File());
  scratch.Write("m/config.json", kConfig);
  const auto model = OpenModel(scratch.path() / "m");
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->parameter_count(), 8 * kWidth + 3 * kWidth * kWidth);
  EXPECT_EQ(model->weights->tensors().size(), 3u);
  EXPECT_EQ(model->architecture.roles[1].role, Role::kDown);
  EXPECT_FALSE(model->architecture.roles[1].input_major);
  EXPECT_EQ(ValuesOf(*model, "model.layers.0.mlp.down_proj.weight"), ShiftedValues(llama.down));
}

TEST(QuantisedModel, TakesTheQuantisersOwnConfigFile) {
  const QuantisedLlama llama;
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", llama.File());
  scratch.Write("m/config.json", kPlainConfig);
  scratch.Write("m/quantize_config.json", R"({"bits": 8, "group_size": 16})");
  const auto model = OpenModel(scratch.path() / "m");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().problem, "config and tensors disagree about the quantisation");
  EXPECT_NE(model.error().expected.find("quantize_config.json"), std::string::npos);
  scratch.Write("m/quantize_config.json", R"({"bits": 4, "group_size": 16})");
  EXPECT_TRUE(OpenModel(scratch.path() / "m"));
}

TEST(QuantisedModel, RefusesAConfigThatIsNoObjectOrSaysTwoThings) {
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", QuantisedLlama().File());
  scratch.Write("m/config.json", R"({"quantization_config": [4]})");
  const auto list = OpenModel(scratch.path() / "m");
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().problem, "what the model says of its quantisation is not a JSON object");
  scratch.Write("m/config.json", R"({"quantization": {"bits": 4, "group_size": 64},
                                     "quantization_config": {"bits": 8, "group_size": 64}})");
  const auto two = OpenModel(scratch.path() / "m");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().problem, "config.json describes two quantisations");
}

// QLoRA: the adapter is trained on the quantised model.
TEST(QuantisedModel, IsABaseForAdapters) {
  const QuantisedLlama llama;
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", llama.File());
  scratch.Write("m/config.json", kConfig);
  scratch.Write("a/adapter_config.json", R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1,
                                             "target_modules": ["q_proj"]})");
  const std::string module = "base_model.model.model.layers.0.self_attn.q_proj.";
  scratch.Write(
      "a/adapter_model.safetensors",
      BuildSafetensors(
          {F32Tensor(module + "lora_A.weight", {1, kWidth}, std::vector<float>(kWidth, 0.25f)),
           F32Tensor(module + "lora_B.weight", {kWidth, 1}, std::vector<float>(kWidth, 0.5f))}));
  const auto model =
      OpenModel(scratch.path() / "a", {.base = scratch.path() / "m", .files = LocalFiles()});
  ASSERT_TRUE(model) << DescribeError(model.error());
  auto expected = ShiftedValues(llama.query);
  for (float& value : expected) value += 0.125f;
  EXPECT_EQ(ValuesOf(*model, "model.layers.0.self_attn.q_proj.weight"), expected);
}

TEST(QuantisedModel, IsConvertedToPlainWeights) {
  const QuantisedLlama llama;
  const ScratchFolder scratch;
  scratch.Write("m/model.safetensors", llama.File());
  scratch.Write("m/config.json", kConfig);
  const auto model = OpenModel(scratch.path() / "m");
  ASSERT_TRUE(model);
  const auto output = scratch.path() / "plain.safetensors";
  ASSERT_TRUE(ConvertWeights(*model->weights, output, {.dtype = DType::kF16}));
  const auto plain = OpenModel(output);
  ASSERT_TRUE(plain) << DescribeError(plain.error());
  EXPECT_EQ(ValuesOf(*plain, "model.layers.0.mlp.down_proj.weight"), ShiftedValues(llama.down));
}

}  // namespace
}  // namespace tensorguard::internal
