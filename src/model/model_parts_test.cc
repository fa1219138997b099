// Whole models side by side in one file are told from the parts of one model.
#include "model/model_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/named_tensors.h"
#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Tensors = std::map<std::string, TensorValues>;

void Add(const std::string& name, std::vector<uint64_t> shape, Tensors& tensors) {
  tensors[name] = Counted(std::move(shape));
}

// A decoder like Llama's below `prefix`.
void AddDecoder(const std::string& prefix, size_t layers, Tensors& tensors, bool head = true,
                uint64_t width = 4) {
  Add(prefix + "model.embed_tokens.weight", {8, width}, tensors);
  if (head) Add(prefix + "lm_head.weight", {8, width}, tensors);
  Add(prefix + "model.norm.weight", {width}, tensors);
  for (size_t i = 0; i < layers; ++i) {
    const std::string layer = prefix + "model.layers." + std::to_string(i) + ".";
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      Add(layer + "self_attn." + name + ".weight", {width, width}, tensors);
    }
    Add(layer + "mlp.up_proj.weight", {2 * width, width}, tensors);
    Add(layer + "mlp.down_proj.weight", {width, 2 * width}, tensors);
    Add(layer + "input_layernorm.weight", {width}, tensors);
  }
}

// A transformer with a table and layers of one form, as text and vision of CLIP have them.
void AddTower(const std::string& prefix, const std::string& table, Tensors& tensors) {
  Add(prefix + "embeddings." + table + ".weight", {8, 4}, tensors);
  Add(prefix + "embeddings.position_embedding.weight", {6, 4}, tensors);
  for (const char* layer : {"0", "1"}) {
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      Add(prefix + "encoder.layers." + layer + ".self_attn." + name + ".weight", {4, 4}, tensors);
    }
    Add(prefix + "encoder.layers." + layer + ".mlp.fc1.weight", {8, 4}, tensors);
  }
}

std::vector<std::string> PartsOf(const Tensors& tensors, const Json& config = {}) {
  const Model model = ModelOf(tensors, config);
  return FindModelParts(config, model.architecture, model.weights->tensors());
}

TEST(ModelParts, TwoModelsUnderTwoNames) {
  for (const auto& [a, b] :
       std::vector<std::pair<std::string, std::string>>{{"policy", "ref_model"},
                                                        {"student", "teacher"},
                                                        {"x.a", "x.b"},
                                                        {"models.0", "models.1"},
                                                        {"question_encoder", "ctx_encoder"}}) {
    Tensors tensors;
    AddDecoder(a + ".", 2, tensors);
    AddDecoder(b + ".", 2, tensors);
    EXPECT_THAT(PartsOf(tensors), testing::UnorderedElementsAre(a, b));
  }
}

TEST(ModelParts, ModelsOfOtherSizesAndHeadsAreModelsStill) {
  Tensors tensors;
  AddDecoder("actor.", 3, tensors, true, 8);
  AddDecoder("critic.", 2, tensors, false);
  Add("critic.score.weight", {1, 4}, tensors);
  EXPECT_THAT(PartsOf(tensors), ElementsAre("actor", "critic"));
}

TEST(ModelParts, AnAverageBesideTheWeights) {
  Tensors tensors;
  AddDecoder("", 2, tensors);
  AddDecoder("ema.", 2, tensors);
  EXPECT_THAT(PartsOf(tensors), ElementsAre(".", "ema"));
}

TEST(ModelParts, OneModelIsOne) {
  Tensors tensors;
  AddDecoder("", 4, tensors);
  EXPECT_THAT(PartsOf(tensors), IsEmpty());
  AddTower("vision_tower.", "patch_embedding", tensors);
  Add("mtp.fc.weight", {4, 8}, tensors);
  for (const char* expert : {"0", "1"}) {
    for (const char* name : {"gate_proj", "up_proj", "down_proj"}) {
      Add(std::string("model.layers.1.mlp.experts.") + expert + "." + name + ".weight", {4, 4},
          tensors);
    }
  }
  EXPECT_THAT(PartsOf(tensors), IsEmpty());
}

TEST(ModelParts, PartsOfOneModelAreNotChosenFrom) {
  Tensors clip;
  AddTower("text_model.", "token_embedding", clip);
  AddTower("vision_model.", "patch_embedding", clip);
  EXPECT_THAT(PartsOf(clip), IsEmpty());

  Tensors declared;
  AddDecoder("thinker.", 2, declared);
  AddDecoder("speaker.", 2, declared);
  EXPECT_THAT(PartsOf(declared), ElementsAre("speaker", "thinker"));
  EXPECT_THAT(
      PartsOf(declared, {{"thinker_config", Json::object()}, {"speaker_config", Json::object()}}),
      IsEmpty());

  Tensors coder;
  AddDecoder("encoder.", 2, coder, false);
  AddDecoder("decoder.", 2, coder);
  EXPECT_THAT(PartsOf(coder), IsEmpty());
  AddDecoder("encoder.", 2, coder);  // a head of its own: it writes tokens as well
  EXPECT_THAT(PartsOf(coder), ElementsAre("decoder", "encoder"));
}

TEST(ModelParts, APartIsAllButTheOthers) {
  Tensors tensors;
  AddDecoder("policy.", 1, tensors);
  AddDecoder("ref.", 1, tensors);
  Add("v_head.weight", {1, 4}, tensors);
  const Model model = ModelOf(tensors);
  const std::vector<std::string> parts = {"policy", "ref"};
  const auto policy = TakePart(model.weights, parts, "policy");
  ASSERT_TRUE(policy);
  EXPECT_EQ((*policy)->tensors().size(), tensors.size() / 2 + 1);
  for (const TensorInfo& tensor : (*policy)->tensors()) {
    EXPECT_FALSE(tensor.name.starts_with("ref."));
  }
  EXPECT_FALSE(TakePart(model.weights, parts, "poli"));
  const auto layers = TakePart(model.weights, {}, "policy.model.layers");
  ASSERT_TRUE(layers);
  EXPECT_EQ((*layers)->tensors().size(), 7u);
}

TEST(ModelParts, TheRestIsAPartToo) {
  Tensors tensors;
  AddDecoder("", 1, tensors);
  AddDecoder("ema.", 1, tensors);
  const Model model = ModelOf(tensors);
  const std::vector<std::string> parts = {".", "ema"};
  for (const char* part : {".", "ema"}) {
    const auto taken = TakePart(model.weights, parts, part);
    ASSERT_TRUE(taken);
    EXPECT_EQ((*taken)->tensors().size(), tensors.size() / 2);
  }
}

TEST(ModelParts, ErrorsSayHowToChoose) {
  EXPECT_EQ(DescribeError(SeveralModels({"policy", "ref"})),
            "the model's files hold more than one model\n"
            "  found:    models below policy, ref\n"
            "  expected: one model\n"
            "  try:      choose one: --part policy");
  EXPECT_THAT(DescribeError(SeveralModels({".", "ema"})),
              HasSubstr("choose one: --part ema, or --part . for what lies beside it"));
  Tensors tensors;
  AddDecoder("policy.", 1, tensors);
  EXPECT_THAT(DescribeError(NoSuchPart("x", {}, ModelOf(tensors).weights->tensors())),
              HasSubstr("the beginning of tensors' names: policy"));
}

}  // namespace
}  // namespace tensorguard::internal
