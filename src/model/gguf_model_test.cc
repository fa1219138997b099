// A model and its conversion to GGUF, as llama.cpp converts it, are the same model.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "model/model.h"
#include "numerics/encode_floats.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tokenizers/anchors.h"

namespace tensorguard::internal {
namespace {

constexpr uint32_t kF32 = 0;
constexpr uint32_t kF16 = 1;
constexpr uint32_t kQ8_0 = 8;

Model Opened(const std::filesystem::path& path) {
  auto model = OpenModel(path);
  if (model) return *std::move(model);
  ADD_FAILURE() << DescribeError(model.error());
  return {};
}

std::vector<float> ValuesOf(const Model& model, size_t tensor) {
  std::vector<float> values(model.weights->tensors()[tensor].element_count);
  EXPECT_TRUE(model.weights->ReadFloat32(tensor, 0, values));
  return values;
}

// The converter, written from llama.cpp's names and what it documents to change.
class Converter {
 public:
  Converter(const Model& model, std::string architecture, uint32_t matrix_type)
      : model_(model), architecture_(std::move(architecture)), matrix_type_(matrix_type) {}

  std::string Convert() {
    std::vector<BuiltGgufTensor> tensors;
    for (size_t i = 0; i < model_.weights->tensors().size(); ++i) Add(i, tensors);
    for (const auto& [name, experts] : experts_) {
      std::vector<float> joined;
      for (const auto& values : experts.values)
        joined.insert(joined.end(), values.begin(), values.end());
      std::vector<uint64_t> dimensions(experts.shape.rbegin(), experts.shape.rend());
      dimensions.push_back(experts.values.size());
      tensors.push_back(Stored(name, dimensions, joined));
    }
    return BuildGguf(Pairs(), tensors);
  }

 private:
  struct Experts {
    std::vector<uint64_t> shape;
    std::vector<std::vector<float>> values;
  };

  uint64_t Config(const std::string& key) const { return model_.config.value(key, uint64_t{0}); }

  std::vector<std::string> Pairs() const {
    const auto number = [&](const char* key, const char* config) {
      return GgufNumberPair(architecture_ + "." + key, static_cast<uint32_t>(Config(config)));
    };
    std::vector<std::string> pairs = {
        GgufTextPair("general.architecture", architecture_),
        number("block_count", "num_hidden_layers"),
        number("embedding_length", "hidden_size"),
        number("feed_forward_length", "intermediate_size"),
        number("attention.head_count", "num_attention_heads"),
        number("attention.head_count_kv", "num_key_value_heads"),
        number("attention.key_length", "head_dim"),
        number("expert_count", "num_local_experts"),
        number("expert_used_count", "num_experts_per_tok"),
        GgufRealPair(architecture_ + ".attention.layer_norm_rms_epsilon",
                     model_.config["rms_norm_eps"].get<float>()),
        GgufRealPair(architecture_ + ".rope.freq_base", model_.config["rope_theta"].get<float>()),
        GgufTextPair("tokenizer.ggml.model", "gpt2")};
    const auto tokenizer = ReadJsonFile(model_.tokenizer_folder / "tokenizer.json");
    EXPECT_TRUE(tokenizer);
    std::map<uint64_t, std::string> tokens;
    for (const auto& [token, id] : (*tokenizer)["model"]["vocab"].items()) tokens[id] = token;
    std::vector<std::string> in_order;
    for (const auto& [id, token] : tokens) in_order.push_back(token);
    pairs.push_back(GgufTextsPair("tokenizer.ggml.tokens", in_order));
    return pairs;
  }

  // Rows (head, half, pair) become (head, pair, half).
  static std::vector<float> Permuted(const std::vector<float>& values, uint64_t rows,
                                     uint64_t heads) {
    const uint64_t columns = values.size() / rows;
    const uint64_t half = rows / heads / 2;
    std::vector<float> permuted;
    for (uint64_t head = 0; head < heads; ++head) {
      for (uint64_t pair = 0; pair < half; ++pair) {
        for (uint64_t side = 0; side < 2; ++side) {
          const auto row =
              values.begin() + static_cast<int64_t>(((head * 2 + side) * half + pair) * columns);
          permuted.insert(permuted.end(), row, row + static_cast<int64_t>(columns));
        }
      }
    }
    return permuted;
  }

  BuiltGgufTensor Stored(const std::string& name, const std::vector<uint64_t>& dimensions,
                         const std::vector<float>& values) const {
    const uint32_t type = dimensions.size() > 1 ? matrix_type_ : kF32;
    std::string data;
    if (type == kF32) data = GgufF32Tensor(name, dimensions, values).data;
    for (size_t i = 0; type == kF16 && i < values.size(); ++i) data += Half(values[i]);
    for (size_t i = 0; type == kQ8_0 && i < values.size(); i += 32) {
      float largest = 0;
      for (size_t j = i; j < i + 32; ++j) largest = std::max(largest, std::abs(values[j]));
      // A power of two is a half float whatever its size here.
      const float scale = largest == 0 ? 0 : std::exp2(std::ceil(std::log2(largest / 127)));
      data += Half(scale);
      for (size_t j = i; j < i + 32; ++j) {
        data += static_cast<char>(scale == 0 ? 0 : std::lround(values[j] / scale));
      }
    }
    return {name, type, dimensions, data};
  }

  static std::string Half(float value) { return GgufBytes(ToFloat16Bits(value)); }

  void Add(size_t index, std::vector<BuiltGgufTensor>& tensors) {
    const TensorInfo& info = model_.weights->tensors()[index];
    std::vector<float> values = ValuesOf(model_, index);
    std::string name = info.name;
    const auto replace = [&](const std::string& from, const std::string& to) {
      const size_t at = name.find(from);
      if (at == name.npos) return false;
      name.replace(at, from.size(), to);
      return true;
    };
    const std::string experts = "block_sparse_moe.experts.";
    if (const size_t at = name.find(experts); at != name.npos) {
      const size_t digit = at + experts.size();
      const char part = name[name.find(".w", digit) + 2];
      const std::string layer = name.substr(13, name.find('.', 13) - 13);
      Experts& joined = experts_[fmt::format("blk.{}.ffn_{}_exps.weight", layer,
                                             part == '1'   ? "gate"
                                             : part == '2' ? "down"
                                                           : "up")];
      joined.shape = info.shape;
      joined.values.push_back(std::move(values));
      return;
    }
    if (architecture_ == "llama" && replace("self_attn.q_proj", "attn_q")) {
      values = Permuted(values, info.shape[0], Config("num_attention_heads"));
    }
    if (architecture_ == "llama" && replace("self_attn.k_proj", "attn_k")) {
      values = Permuted(values, info.shape[0], Config("num_key_value_heads"));
    }
    if (architecture_ == "gemma" && name.find("norm") != name.npos) {
      for (float& value : values) value += 1;
    }
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"model.layers.", "blk."},
             {"model.embed_tokens", "token_embd"},
             {"model.norm", "output_norm"},
             {"lm_head", "output"},
             {"self_attn.q_proj", "attn_q"},
             {"self_attn.k_proj", "attn_k"},
             {"self_attn.v_proj", "attn_v"},
             {"self_attn.o_proj", "attn_output"},
             {"self_attn.qkv_proj", "attn_qkv"},
             {"input_layernorm", "attn_norm"},
             {"post_attention_layernorm", "ffn_norm"},
             {"mlp.gate_up_proj", "ffn_up"},
             {"mlp.gate_proj", "ffn_gate"},
             {"mlp.up_proj", "ffn_up"},
             {"mlp.down_proj", "ffn_down"},
             {"block_sparse_moe.gate.", "ffn_gate_inp."}}) {
      replace(from, to);
    }
    const std::vector<uint64_t> dimensions(info.shape.rbegin(), info.shape.rend());
    tensors.push_back(Stored(name, dimensions, values));
  }

  const Model& model_;
  std::string architecture_;
  uint32_t matrix_type_;
  std::map<std::string, Experts> experts_;
};

struct Row {
  const char* zoo_model;
  const char* architecture;
  uint32_t matrix_type;
};

class GgufModel : public testing::TestWithParam<Row> {};

TEST_P(GgufModel, IsTheModelItWasConvertedFrom) {
  const Row row = GetParam();
  const auto folder = SharedData("zoo") / row.zoo_model;
  SKIP_WITHOUT(folder);
  const Model original = Opened(folder);
  ASSERT_TRUE(original.weights);
  const ScratchFolder scratch;
  const Model converted = Opened(
      scratch.Write("it.gguf", Converter(original, row.architecture, row.matrix_type).Convert()));
  ASSERT_TRUE(converted.weights);
  EXPECT_EQ(converted.name, "it");
  EXPECT_EQ(converted.architecture.name, original.architecture.name);
  EXPECT_EQ(converted.architecture.tied_head, original.architecture.tied_head);
  EXPECT_EQ(converted.architecture.layers, original.architecture.layers);
  for (const char* key : {"model_type", "num_hidden_layers", "hidden_size", "num_attention_heads",
                          "num_key_value_heads", "head_dim", "tie_word_embeddings"}) {
    EXPECT_EQ(converted.config[key], original.config[key]) << key;
  }
  EXPECT_NEAR(converted.config["rms_norm_eps"], original.config["rms_norm_eps"], 1e-12);

  ASSERT_EQ(converted.weights->tensors().size(), original.weights->tensors().size());
  for (size_t i = 0; i < original.weights->tensors().size(); ++i) {
    const TensorInfo& wanted = original.weights->tensors()[i];
    const TensorInfo& info = converted.weights->tensors()[i];
    ASSERT_EQ(info.name, wanted.name);
    ASSERT_EQ(info.shape, wanted.shape) << info.name;
    EXPECT_EQ(converted.architecture.roles[i].role, original.architecture.roles[i].role);
    const auto values = ValuesOf(converted, i);
    const auto expected = ValuesOf(original, i);
    float largest = 0, difference = 0;
    for (size_t j = 0; j < values.size(); ++j) {
      largest = std::max(largest, std::abs(expected[j]));
      difference = std::max(difference, std::abs(values[j] - expected[j]));
    }
    // Half a step of 2 / 127 of the largest in a block, at most; a gain of Gemma is rounded at 1.
    const float bound = row.matrix_type == kQ8_0  ? largest / 127
                        : row.matrix_type == kF16 ? largest / 1024 + 6e-8f
                                                  : 6e-8f;
    EXPECT_LE(difference, bound) << info.name;
    if (row.matrix_type == kF32 && row.architecture != std::string("gemma")) {
      EXPECT_EQ(difference, 0) << info.name;
    }
  }
  const auto tokens = ReadVocabulary(original.tokenizer_folder);
  const auto converted_tokens = ReadVocabulary(converted.tokenizer_folder);
  ASSERT_TRUE(tokens);
  ASSERT_TRUE(converted_tokens) << DescribeError(converted_tokens.error());
  const auto anchors = FindAnchors(*tokens);
  const auto converted_anchors = FindAnchors(*converted_tokens);
  ASSERT_EQ(converted_anchors.size(), anchors.size());
  for (size_t i = 0; i < anchors.size(); ++i) {
    EXPECT_EQ(converted_anchors[i].token_id, anchors[i].token_id);
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, GgufModel,
                         testing::Values(Row{"alder", "llama", kF32}, Row{"alder", "llama", kQ8_0},
                                         Row{"alder--upcycle-moe", "llama", kF16},
                                         Row{"cedar", "qwen2", kF16}, Row{"elm", "gemma", kF32},
                                         Row{"hazel", "phi3", kF16}));

TEST(GgufModel, ArchitecturesThatAreNotKnownAreReadAsStored) {
  const ScratchFolder scratch;
  const auto model = OpenModel(
      scratch.Write("m.gguf", BuildGguf({GgufTextPair("general.architecture", "rwkv7")},
                                        {GgufF32Tensor("token_embd.weight", {1, 1}, {1})})));
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_EQ(model->architecture.name, "gguf-rwkv7");
  EXPECT_EQ(model->weights->tensors()[0].name, "token_embd.weight");
  EXPECT_EQ(model->notes.size(), 1u);
}

TEST(GgufModel, AnUntrainedLlamaFromElsewhere) {
  const auto file = SharedData("real/parser/gguf/llama-2-tiny-random.gguf");
  SKIP_WITHOUT(file);
  const Model model = Opened(file);
  ASSERT_TRUE(model.weights);
  EXPECT_EQ(model.architecture.name, "llama");
  EXPECT_EQ(model.architecture.layers, 1u);
  EXPECT_TRUE(model.architecture.unassigned.empty());
  const auto vocabulary = ReadVocabulary(model.tokenizer_folder);
  ASSERT_TRUE(vocabulary);
  EXPECT_EQ(vocabulary->tokens.size(), 32000u);
}

}  // namespace
}  // namespace tensorguard::internal
