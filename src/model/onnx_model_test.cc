// ONNX exports as models: config, roles and tokenizer as those of the model that was exported.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/model.h"
#include "tests/support/onnx_builder.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kWidth = 4;
constexpr uint64_t kVocabulary = 6;

struct Matrix {
  std::string module;
  uint64_t outputs;
  uint64_t inputs;
};

std::vector<Matrix> Matrices() {
  const std::string layer = "model.layers.0.";
  return {
      {layer + "self_attn.q_proj", kWidth, kWidth}, {layer + "self_attn.k_proj", 2, kWidth},
      {layer + "self_attn.v_proj", 2, kWidth},      {layer + "self_attn.o_proj", kWidth, kWidth},
      {layer + "mlp.gate_proj", 8, kWidth},         {layer + "mlp.up_proj", 8, kWidth},
      {layer + "mlp.down_proj", kWidth, 8}};
}

// Of a row and column of the matrix numbered `seed`.
float ValueAt(size_t seed, uint64_t row, uint64_t column) {
  return static_cast<float>(static_cast<int>((seed * 31 + row * 7 + column * 3) % 17) - 8) / 8;
}

std::vector<float> RowMajor(size_t seed, uint64_t rows, uint64_t columns, bool transposed) {
  std::vector<float> values;
  for (uint64_t i = 0; i < rows; ++i) {
    for (uint64_t j = 0; j < columns; ++j) {
      values.push_back(transposed ? ValueAt(seed, j, i) : ValueAt(seed, i, j));
    }
  }
  return values;
}

std::string PathOf(std::string module) {
  const std::vector<std::string> words = {"model.", "layers.0.", "self_attn.", "mlp."};
  for (const std::string& word : words) {
    const size_t at = module.find(word);
    if (at != std::string::npos) module[at + word.size() - 1] = '/';
  }
  return "/" + module;
}

const std::vector<float> kEmbedding = RowMajor(99, kVocabulary, kWidth, false);

std::string Original() {
  std::vector<BuiltTensor> tensors = {
      F32Tensor("model.embed_tokens.weight", {kVocabulary, kWidth}, kEmbedding),
      F32Tensor("model.norm.weight", {kWidth}, {1, 2, 3, 4})};
  size_t seed = 0;
  for (const Matrix& matrix : Matrices()) {
    tensors.push_back(F32Tensor(matrix.module + ".weight", {matrix.outputs, matrix.inputs},
                                RowMajor(seed++, matrix.outputs, matrix.inputs, false)));
  }
  return BuildSafetensors(tensors);
}

// As torch.onnx.export with constant folding leaves it; the tied head's transpose is a copy.
std::string Export() {
  std::vector<std::string> nodes = {
      OnnxNodeOf("Gather", "/model/embed_tokens/Gather", {"model.embed_tokens.weight", "ids"},
                 {"x"}),
      OnnxNodeOf("MatMul", "/lm_head/MatMul", {"x", "onnx::MatMul_900"}, {"logits"})};
  std::vector<std::string> tensors = {
      OnnxFloats("model.embed_tokens.weight", {kVocabulary, kWidth}, kEmbedding),
      OnnxFloats("model.norm.weight", {kWidth}, {1, 2, 3, 4}),
      OnnxFloats("onnx::MatMul_900", {kWidth, kVocabulary},
                 RowMajor(99, kWidth, kVocabulary, true))};
  size_t seed = 0;
  for (const Matrix& matrix : Matrices()) {
    const std::string name = "onnx::MatMul_" + std::to_string(100 + seed);
    nodes.push_back(OnnxNodeOf("MatMul", PathOf(matrix.module) + "/MatMul", {"x", name},
                               {"y" + std::to_string(seed)}));
    tensors.push_back(OnnxFloats(name, {matrix.inputs, matrix.outputs},
                                 RowMajor(seed++, matrix.inputs, matrix.outputs, true)));
  }
  return BuildOnnx(nodes, tensors);
}

constexpr const char* kConfig =
    R"({"model_type": "llama", "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 1, "hidden_size": 4, "tie_word_embeddings": true})";

Model Opened(const std::filesystem::path& path) {
  auto model = OpenModel(path);
  EXPECT_TRUE(model) << (model ? "" : DescribeError(model.error()));
  return model ? *std::move(model) : Model{};
}

void ExpectSame(const Model& a, const Model& b) {
  ASSERT_TRUE(a.weights != nullptr && b.weights != nullptr);
  const auto& tensors = a.weights->tensors();
  ASSERT_EQ(tensors.size(), b.weights->tensors().size());
  EXPECT_EQ(a.architecture.name, b.architecture.name);
  EXPECT_EQ(a.architecture.tied_head, b.architecture.tied_head);
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(tensors[i].name, b.weights->tensors()[i].name);
    EXPECT_EQ(tensors[i].shape, b.weights->tensors()[i].shape);
    EXPECT_EQ(a.architecture.roles[i].role, b.architecture.roles[i].role);
    std::vector<float> of_a(tensors[i].element_count);
    std::vector<float> of_b(tensors[i].element_count);
    ASSERT_TRUE(a.weights->ReadFloat32(i, 0, of_a));
    ASSERT_TRUE(b.weights->ReadFloat32(i, 0, of_b));
    EXPECT_EQ(of_a, of_b) << tensors[i].name;
  }
}

TEST(OnnxModel, AnExportIsTheModelThatWasExported) {
  const ScratchFolder folder;
  folder.Write("a/config.json", kConfig);
  folder.Write("a/model.safetensors", Original());
  folder.Write("b/config.json", kConfig);
  folder.Write("b/onnx/model.onnx", Export());
  const Model original = Opened(folder.path() / "a");
  EXPECT_TRUE(original.architecture.tied_head);
  ExpectSame(original, Opened(folder.path() / "b"));
  const Model file = Opened(folder.path() / "b" / "onnx" / "model.onnx");
  ExpectSame(original, file);
  EXPECT_EQ(file.name, "b");
}

TEST(OnnxModel, SafetensorsCountFirst) {
  const ScratchFolder folder;
  folder.Write("config.json", kConfig);
  folder.Write("model.safetensors", Original());
  folder.Write("model.onnx", "not read");
  EXPECT_EQ(Opened(folder.path()).weights->tensors()[0].file,
            (folder.path() / "model.safetensors").string());
}

// genai_config.json tells the type of a model that its builder wrote.
TEST(OnnxModel, KnowsTheConfigOfTheModelBuilder) {
  const ScratchFolder folder;
  folder.Write("genai_config.json", R"({"model": {"type": "gemma"}})");
  folder.Write(
      "model.onnx",
      BuildOnnx({}, {OnnxFloats("model.layers.0.attn.q_proj.MatMul.weight", {1, 2}, {1, 2}),
                     OnnxFloats("model.layers.1.final_norm_layernorm.weight", {2}, {1, 3})}));
  const Model model = Opened(folder.path());
  ASSERT_EQ(model.weights->tensors().size(), 2u);
  EXPECT_EQ(model.weights->tensors()[1].name, "model.norm.weight");
  std::vector<float> gains(2);
  ASSERT_TRUE(model.weights->ReadFloat32(1, 0, gains));
  EXPECT_EQ(gains, (std::vector<float>{0, 2}));
}

}  // namespace
}  // namespace tensorguard::internal
