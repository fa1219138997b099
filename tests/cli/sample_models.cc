#include "tests/cli/sample_models.h"

#include <functional>
#include <numeric>
#include <vector>

#include "tests/support/safetensors_builder.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kHidden = 16;
constexpr uint64_t kFeedForward = 24;
constexpr uint64_t kVocabulary = 32;

// Numbers in [-1, 1) from a generator of 32 bits (Numerical Recipes' constants).
class Numbers {
 public:
  explicit Numbers(uint32_t seed) : state_(seed) {}

  std::vector<float> Take(uint64_t count) {
    std::vector<float> values(count);
    for (float& value : values) {
      state_ = state_ * 1664525u + 1013904223u;
      value = static_cast<float>(static_cast<int32_t>(state_) >> 8) / (1 << 23);
    }
    return values;
  }

 private:
  uint32_t state_;
};

std::string TinyLlama(uint32_t seed) {
  Numbers numbers(seed);
  std::vector<BuiltTensor> tensors;
  const auto add = [&](const std::string& name, const std::vector<uint64_t>& shape) {
    const uint64_t count =
        std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
    tensors.push_back(F32Tensor(name, shape, numbers.Take(count)));
  };
  const std::string layer = "model.layers.0.";
  add("lm_head.weight", {kVocabulary, kHidden});
  add("model.embed_tokens.weight", {kVocabulary, kHidden});
  add(layer + "input_layernorm.weight", {kHidden});
  add(layer + "mlp.down_proj.weight", {kHidden, kFeedForward});
  add(layer + "mlp.gate_proj.weight", {kFeedForward, kHidden});
  add(layer + "mlp.up_proj.weight", {kFeedForward, kHidden});
  add(layer + "post_attention_layernorm.weight", {kHidden});
  add(layer + "self_attn.k_proj.weight", {kHidden, kHidden});
  add(layer + "self_attn.o_proj.weight", {kHidden, kHidden});
  add(layer + "self_attn.q_proj.weight", {kHidden, kHidden});
  add(layer + "self_attn.v_proj.weight", {kHidden, kHidden});
  add("model.norm.weight", {kHidden});
  return BuildSafetensors(tensors);
}

// Two words and two characters that are anchors, and a token that is none.
std::string TinyTokenizer() {
  return R"({"decoder": {"type": "ByteLevel"},
             "added_tokens": [{"id": 31, "content": "<|end|>", "special": true}],
             "model": {"type": "BPE", "vocab": {"Ġthe": 0, "Ġand": 1, "a": 2, "b": 3, "Ġzyx": 4}}})";
}

void WriteModel(const ScratchFolder& folder, const std::string& name, uint32_t seed) {
  folder.Write(name + "/model.safetensors", TinyLlama(seed));
  folder.Write(name + "/tokenizer.json", TinyTokenizer());
  folder.Write(name + "/config.json",
               R"({"model_type": "llama", "hidden_size": 16, "intermediate_size": 24,
                   "num_attention_heads": 2, "num_key_value_heads": 2, "num_hidden_layers": 1,
                   "vocab_size": 32, "tie_word_embeddings": false})");
}

void WriteAdapter(const ScratchFolder& folder) {
  folder.Write("lora/adapter_config.json",
               R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]})");
  Numbers numbers(7);
  const std::string module = "base_model.model.model.layers.0.self_attn.q_proj.";
  folder.Write("lora/adapter_model.safetensors",
               BuildSafetensors(
                   {F32Tensor(module + "lora_A.weight", {2, kHidden}, numbers.Take(2 * kHidden)),
                    F32Tensor(module + "lora_B.weight", {kHidden, 2}, numbers.Take(2 * kHidden))}));
}

}  // namespace

void WriteSampleModels(const ScratchFolder& folder) {
  WriteModel(folder, "tiny", 1);
  WriteModel(folder, "copy", 1);
  WriteModel(folder, "other", 2);
  WriteModel(folder, "third", 3);
  WriteAdapter(folder);
  folder.Write("mute/model.safetensors", TinyLlama(1));
  folder.Write("garbled/model.safetensors", TinyLlama(1));
  folder.Write("garbled/tokenizer.json", R"({"model": {"vocab": {"\u001b": -1}}})");
  folder.Write("cut/model-00001-of-00002.safetensors", TinyLlama(1));
  folder.Write("hostile.safetensors",
               BuildRawSafetensors("{\"a\\u001b[2J\\u202eb\":{\"dtype\":\"F32\",\"shape\":[4],"
                                   "\"data_offsets\":[0,16]}}",
                                   "12345678"));
  folder.Write("text.safetensors", "this is no model");
}

}  // namespace tensorguard::internal
