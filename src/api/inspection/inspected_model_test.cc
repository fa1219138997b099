// What inspect says beside names and shapes: parts, odd matrices, the head, declared bases.
#include "api/inspection/inspected_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/random_models.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::map<std::string, TensorValues> Decoder() {
  std::map<std::string, TensorValues> tensors;
  tensors["model.embed_tokens.weight"] = Counted({8, 4});
  tensors["model.norm.weight"] = Counted({4});
  for (const char* layer : {"0", "1"}) {
    const std::string in = std::string("model.layers.") + layer + ".";
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      tensors[in + "self_attn." + name + ".weight"] = Counted({4, 4});
    }
    tensors[in + "mlp.up_proj.weight"] = Counted({8, 4});
    tensors[in + "mlp.down_proj.weight"] = Counted({4, 8});
    tensors[in + "input_layernorm.weight"] = Counted({4});
    tensors[in + "post_attention_layernorm.weight"] = Counted({4});
  }
  return tensors;
}

std::vector<std::string> NamesOf(const Model& model, const std::vector<size_t>& tensors) {
  std::vector<std::string> names;
  for (const size_t i : tensors) names.push_back(model.weights->tensors()[i].name);
  return names;
}

TEST(InspectedModel, PartsHaveTheirShareAndWhatIsComputed) {
  auto tensors = Decoder();
  tensors["vision_tower.encoder.layers.0.attn.qkv.weight"] = Counted({12, 4});
  tensors["vision_tower.patch_embed.weight"] = Counted({4, 12});
  tensors["multi_modal_projector.weight"] = Counted({4, 4});
  const Model model = ModelOf(tensors);
  const auto network = Network::Build(model);
  ASSERT_TRUE(network) << DescribeError(network.error());
  const auto parts = PartsOfModel(model, network->get());
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].name, "model");
  EXPECT_EQ(parts[0].layers, 2u);
  EXPECT_EQ(parts[0].named_share, 1);
  EXPECT_EQ(UnderstoodText(parts[0]), "attention and feed-forward of 2 layers");
  EXPECT_EQ(parts[1].name, "vision");
  EXPECT_EQ(parts[1].parameters, 96u);
  EXPECT_EQ(UnderstoodText(parts[1]), "weights alone");
  EXPECT_EQ(parts[2].name, "projector");
  EXPECT_NEAR(parts[0].share + parts[1].share + parts[2].share, 1, 1e-9);
  EXPECT_EQ(PartsOfModel(model, nullptr)[0].mixers, 0u);
}

TEST(InspectedModel, MatricesThatNoTrainingWritesAreNamed) {
  auto tensors = Decoder();
  const std::string in = "model.layers.1.self_attn.";
  std::ranges::fill(tensors[in + "q_proj.weight"].values, 0.0f);
  std::ranges::fill(tensors[in + "k_proj.weight"].values, 0.5f);
  tensors[in + "v_proj.weight"].values[7] = std::numeric_limits<float>::quiet_NaN();
  std::ranges::fill(tensors["model.norm.weight"].values, 1.0f);  // as norms begin
  const Model model = ModelOf(tensors);
  const auto odd = FindOddMatrices(model);
  ASSERT_TRUE(odd);
  EXPECT_THAT(NamesOf(model, odd->zero), ElementsAre(in + "q_proj.weight"));
  EXPECT_THAT(NamesOf(model, odd->constant), ElementsAre(in + "k_proj.weight"));
  EXPECT_THAT(NamesOf(model, odd->not_finite), ElementsAre(in + "v_proj.weight"));
}

TEST(InspectedModel, AHeadIsShownAsItIsStored) {
  auto tensors = Decoder();
  EXPECT_FALSE(LookAtHead(ModelOf(tensors))->stored);
  tensors["lm_head.weight"] = Counted({8, 4});
  EXPECT_EQ(LookAtHead(ModelOf(tensors))->equals_embedding, true);
  tensors["lm_head.weight"].values[3] = -1;
  EXPECT_EQ(LookAtHead(ModelOf(tensors))->equals_embedding, false);
  tensors["lm_head.weight"] = Counted({9, 4});
  EXPECT_TRUE(LookAtHead(ModelOf(tensors))->stored);
  EXPECT_FALSE(LookAtHead(ModelOf(tensors))->equals_embedding.has_value());
}

TEST(DeclaredFacts, BasesOfACard) {
  EXPECT_THAT(BasesOfCard("---\nlicense: mit\nbase_model: org/a\n---\n# Card"),
              ElementsAre("org/a"));
  EXPECT_THAT(BasesOfCard("---\r\nbase_model:\r\n- 'org/a'\r\n  - \"org/b\"\r\ntags: x\r\n---\r\n"),
              ElementsAre("org/a", "org/b"));
  EXPECT_THAT(BasesOfCard("---\nbase_model: [org/a, org/b]\n---\n"), ElementsAre("org/a", "org/b"));
  EXPECT_THAT(BasesOfCard("# Card\nbase_model: org/a\n"), IsEmpty());
  EXPECT_THAT(BasesOfCard("---\nbase_model: org/a\n"), IsEmpty()) << "no end of the front matter";
  EXPECT_THAT(BasesOfCard("---\nx:\n  base_model: org/a\n---\n"), IsEmpty());
  EXPECT_THAT(BasesOfCard(""), IsEmpty());
}

TEST(DeclaredFacts, EachFileIsNamed) {
  const ScratchFolder scratch;
  scratch.Write("README.md", "---\nbase_model: org/a\n---\n");
  scratch.Write("adapter_config.json", R"({"base_model_name_or_path": "org/b"})");
  Model model = ModelOf(Decoder(), {{"_name_or_path", "org/c"}});
  model.path = scratch.path();
  model.tokenizer_folder = scratch.path();
  std::vector<std::string> found;
  for (const DeclaredBase& base : DeclaredBases(model)) {
    found.push_back(base.name + " by " + base.where);
  }
  EXPECT_THAT(found, ElementsAre("org/a by README.md", "org/b by adapter_config.json",
                                 "org/c by config.json"));
}

}  // namespace
}  // namespace tensorguard::internal
