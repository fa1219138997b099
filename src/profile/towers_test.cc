// Models that no token enters: fingerprints by weights and forms, and what pairs of them are.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/random_bits.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/file/fingerprint_file.h"
#include "profile/full_profile.h"
#include "tests/support/random_models.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::Contains;
using testing::HasSubstr;

using Tensors = std::map<std::string, TensorValues>;

constexpr uint64_t kHidden = 48;
constexpr uint64_t kInner = 96;
constexpr uint64_t kLayers = 6;

// Numbers that follow a bell curve, so that a model's units are unlike each other.
float Normal(uint64_t seed, uint64_t index) {
  const auto uniform = [&](uint64_t stream) {
    return (static_cast<double>(RandomBits(seed + stream, index) >> 11) + 0.5) * 0x1p-53;
  };
  return static_cast<float>(std::sqrt(-2 * std::log(uniform(0))) *
                            std::cos(6.283185307179586 * uniform(0x9e37)));
}

class Builder {
 public:
  explicit Builder(uint64_t seed) : seed_(seed) {}

  void Matrix(const std::string& name, std::vector<uint64_t> shape, float width = 0.1f) {
    TensorValues tensor = Counted(std::move(shape));
    uint64_t own = seed_;
    for (const char letter : name) own = own * 1000003 + static_cast<unsigned char>(letter);
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      tensor.values[i] = width * Normal(own, i);
    }
    tensors_[name] = std::move(tensor);
  }

  void Norm(const std::string& name) {
    for (const auto& [part, centre] : {std::pair("weight", 1.0f), std::pair("bias", 0.0f)}) {
      const std::string whole = name + "." + part;
      Matrix(whole, {kHidden}, 0.05f);
      for (float& value : tensors_[whole].values) value += centre;
    }
  }

  void Linear(const std::string& name, uint64_t outputs, uint64_t inputs) {
    Matrix(name + ".weight", {outputs, inputs});
    Matrix(name + ".bias", {outputs}, 0.02f);
  }

  Tensors Take() { return std::move(tensors_); }

 private:
  uint64_t seed_;
  Tensors tensors_;
};

struct Kind {
  std::string name;
  Json config;
  std::function<Tensors(uint64_t seed)> make;
};

// As the field's library names a ViT.
Tensors VisionTransformer(uint64_t seed, const std::string& prefix = "vit.") {
  Builder model(seed);
  model.Matrix(prefix + "embeddings.cls_token", {1, 1, kHidden});
  model.Matrix(prefix + "embeddings.position_embeddings", {1, 17, kHidden});
  model.Matrix(prefix + "embeddings.patch_embeddings.projection.weight", {kHidden, 3, 4, 4});
  model.Norm(prefix + "layernorm");
  for (uint64_t i = 0; i < kLayers; ++i) {
    const std::string layer = fmt::format("{}encoder.layer.{}.", prefix, i);
    for (const char* name : {"query", "key", "value"}) {
      model.Linear(layer + "attention.attention." + name, kHidden, kHidden);
    }
    model.Linear(layer + "attention.output.dense", kHidden, kHidden);
    model.Linear(layer + "intermediate.dense", kInner, kHidden);
    model.Linear(layer + "output.dense", kHidden, kInner);
    model.Norm(layer + "layernorm_before");
    model.Norm(layer + "layernorm_after");
  }
  return model.Take();
}

// CLIP's and SigLIP's vision model.
Tensors ClipVision(uint64_t seed) {
  Builder model(seed);
  const std::string prefix = "vision_model.";
  model.Matrix(prefix + "embeddings.patch_embedding.weight", {kHidden, 3, 4, 4});
  model.Matrix(prefix + "embeddings.position_embedding.weight", {17, kHidden});
  model.Norm(prefix + "post_layernorm");
  for (uint64_t i = 0; i < kLayers; ++i) {
    const std::string layer = fmt::format("{}encoder.layers.{}.", prefix, i);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      model.Linear(layer + "self_attn." + name, kHidden, kHidden);
    }
    model.Linear(layer + "mlp.fc1", kInner, kHidden);
    model.Linear(layer + "mlp.fc2", kHidden, kInner);
    model.Norm(layer + "layer_norm1");
    model.Norm(layer + "layer_norm2");
  }
  return model.Take();
}

// The encoder of Whisper.
Tensors SoundEncoder(uint64_t seed) {
  Builder model(seed);
  model.Matrix("model.encoder.conv1.weight", {kHidden, 10, 3});
  model.Matrix("model.encoder.conv2.weight", {kHidden, kHidden, 3});
  model.Matrix("model.encoder.embed_positions.weight", {30, kHidden});
  model.Norm("model.encoder.layer_norm");
  for (uint64_t i = 0; i < kLayers; ++i) {
    const std::string layer = fmt::format("model.encoder.layers.{}.", i);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      model.Linear(layer + "self_attn." + name, kHidden, kHidden);
    }
    model.Linear(layer + "fc1", kInner, kHidden);
    model.Linear(layer + "fc2", kHidden, kInner);
    model.Norm(layer + "self_attn_layer_norm");
    model.Norm(layer + "final_layer_norm");
  }
  return model.Take();
}

// A diffusion transformer as its authors name it.
Tensors DiffusionTransformer(uint64_t seed) {
  Builder model(seed);
  model.Matrix("x_embedder.proj.weight", {kHidden, 4, 2, 2});
  model.Matrix("pos_embed", {1, 16, kHidden});
  model.Linear("t_embedder.mlp.0", kHidden, 32);
  model.Linear("t_embedder.mlp.2", kHidden, kHidden);
  for (uint64_t i = 0; i < kLayers; ++i) {
    const std::string block = fmt::format("blocks.{}.", i);
    model.Linear(block + "attn.qkv", 3 * kHidden, kHidden);
    model.Linear(block + "attn.proj", kHidden, kHidden);
    model.Linear(block + "mlp.fc1", kInner, kHidden);
    model.Linear(block + "mlp.fc2", kHidden, kInner);
    model.Linear(block + "adaLN_modulation.1", 6 * kHidden, kHidden);
  }
  model.Linear("final_layer.linear", 16, kHidden);
  return model.Take();
}

// The blocks of a UNet, some of them with attention.
Tensors UNet(uint64_t seed) {
  Builder model(seed);
  model.Matrix("conv_in.weight", {kHidden, 4, 3, 3});
  for (const char* side : {"down_blocks", "up_blocks"}) {
    for (uint64_t i = 0; i < 3; ++i) {
      for (const char* conv : {"conv1", "conv2"}) {
        model.Matrix(fmt::format("{}.{}.resnets.0.{}.weight", side, i, conv),
                     {kHidden, kHidden, 3, 3});
      }
      const std::string block = fmt::format("{}.{}.attentions.0.transformer_blocks.0.", side, i);
      for (const char* name : {"to_q", "to_k", "to_v", "to_out.0"}) {
        model.Matrix(block + "attn1." + name + ".weight", {kHidden, kHidden});
        model.Matrix(block + "attn2." + name + ".weight", {kHidden, kHidden});
      }
      model.Linear(block + "ff.net.0.proj", 2 * kInner, kHidden);
      model.Linear(block + "ff.net.2", kHidden, kInner);
    }
  }
  model.Matrix("conv_out.weight", {4, kHidden, 3, 3});
  return model.Take();
}

std::vector<Kind> Kinds() {
  const Json vit = {{"model_type", "vit"},
                    {"hidden_size", kHidden},
                    {"num_attention_heads", 4},
                    {"num_hidden_layers", kLayers},
                    {"hidden_act", "gelu"}};
  Json clip = vit;
  clip["model_type"] = "siglip_vision_model";
  Json whisper = {{"model_type", "whisper"},
                  {"d_model", kHidden},
                  {"encoder_layers", kLayers},
                  {"encoder_attention_heads", 4},
                  {"num_hidden_layers", kLayers}};
  return {{"vit", vit, [](uint64_t seed) { return VisionTransformer(seed); }},
          {"vit without config", {}, [](uint64_t seed) { return VisionTransformer(seed); }},
          {"clip vision", clip, ClipVision},
          {"whisper encoder", whisper, SoundEncoder},
          {"dit", {{"model_type", "dit"}, {"num_attention_heads", 4}}, DiffusionTransformer},
          {"unet", {}, UNet}};
}

Fingerprint PrintOf(const Kind& kind, const Tensors& tensors, const std::string& name) {
  Model model = ModelOf(tensors, kind.config);
  model.name = name;
  auto print = ComputeFullFingerprint(model, {.threads = 2});
  EXPECT_TRUE(print) << kind.name << ": " << DescribeError(print.error());
  return print ? *std::move(print) : Fingerprint();
}

Comparison Compared(const Fingerprint& a, const Fingerprint& b) {
  auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison) << DescribeError(comparison.error());
  return *std::move(comparison);
}

// Trained on: every matrix moves a little.
Tensors Tuned(Tensors tensors, float width) {
  uint64_t seed = 77;
  for (auto& [name, tensor] : tensors) {
    ++seed;
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      tensor.values[i] += width * 0.1f * Normal(seed, i);
    }
  }
  return tensors;
}

TEST(Towers, AModelThatNoTokenEntersHasAFingerprint) {
  for (const Kind& kind : Kinds()) {
    const Fingerprint print = PrintOf(kind, kind.make(1), "a");
    EXPECT_TRUE(print.anchors.empty()) << kind.name;
    EXPECT_TRUE(print.layers.empty()) << kind.name;
    EXPECT_GT(print.weights.size(), 20u) << kind.name;
    EXPECT_THAT(print.notes, Contains(HasSubstr("no token embedding"))) << kind.name;
    const ScratchFolder scratch;
    const auto path = scratch.path() / "a.fingerprint.safetensors";
    ASSERT_TRUE(WriteFingerprint(print, path)) << kind.name;
    const auto read = ReadFingerprint(path);
    ASSERT_TRUE(read) << kind.name << ": " << DescribeError(read.error());
    EXPECT_EQ(Compared(print, *read).verdict, Verdict::kIdentical) << kind.name;
  }
}

TEST(Towers, ACopyAndWhatWasTrainedFromItAreFound) {
  for (const Kind& kind : Kinds()) {
    const Tensors tensors = kind.make(1);
    const Fingerprint base = PrintOf(kind, tensors, "base");
    const Comparison tuned = Compared(base, PrintOf(kind, Tuned(tensors, 0.2f), "tuned"));
    EXPECT_EQ(tuned.verdict, Verdict::kDerived) << kind.name << ": " << tuned.reason;
    EXPECT_FALSE(tuned.in_part) << kind.name;
  }
}

TEST(Towers, StrangersAreNotAccused) {
  for (const Kind& kind : Kinds()) {
    const Comparison strangers =
        Compared(PrintOf(kind, kind.make(1), "a"), PrintOf(kind, kind.make(2), "b"));
    EXPECT_FALSE(IsDerivation(strangers.verdict)) << kind.name << ": " << strangers.reason;
    EXPECT_NE(strangers.verdict, Verdict::kSharedInitialisation) << kind.name;
  }
}

TEST(Towers, LayersOfATowerAreRead) {
  for (const Kind& kind : Kinds()) {
    if (kind.name == "unet") continue;  // its blocks are no stack of equal layers
    const Fingerprint print = PrintOf(kind, kind.make(1), "a");
    EXPECT_EQ(print.frame.layers.size(), kLayers) << kind.name;
    EXPECT_EQ(print.hidden_size, kHidden) << kind.name;
  }
}

}  // namespace
}  // namespace tensorguard::internal
