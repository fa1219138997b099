#include "weights/onnx/onnx_weight_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/support/onnx_builder.h"
#include "tests/support/scratch_folder.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using Numbers = std::vector<float>;
using Strings = std::vector<std::string>;

std::string BytesOf(const Numbers& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Every weight of a file by name: its shape, then its numbers.
struct Read {
  std::vector<uint64_t> shape;
  Numbers numbers;
};
using ReadModel = std::map<std::string, Read>;

ReadModel ReadAll(const WeightSource& weights) {
  ReadModel model;
  for (size_t i = 0; i < weights.tensors().size(); ++i) {
    const TensorInfo& info = weights.tensors()[i];
    Read& read = model[info.name];
    read.shape = info.shape;
    read.numbers.resize(info.element_count);
    EXPECT_TRUE(weights.ReadFloat32(i, 0, read.numbers)) << info.name;
    // Any part gives the same numbers as the whole.
    for (size_t first = 0; first < read.numbers.size(); ++first) {
      float one = -1;
      EXPECT_TRUE(weights.ReadFloat32(i, first, std::span(&one, 1)));
      EXPECT_EQ(one, read.numbers[first]) << info.name << " " << first;
    }
  }
  return model;
}

ReadModel Open(const std::string& file, const OnnxSource& source = {}) {
  const ScratchFolder folder;
  const auto weights = OpenOnnxWeights({folder.Write("model.onnx", file)}, source);
  EXPECT_TRUE(weights) << (weights ? "" : DescribeError(weights.error()));
  return weights ? ReadAll(**weights) : ReadModel();
}

Error Refused(const std::string& file) {
  const ScratchFolder folder;
  const auto weights = OpenOnnxWeights({folder.Write("model.onnx", file)});
  EXPECT_FALSE(weights);
  return weights ? Error() : weights.error();
}

Strings NamesOf(const ReadModel& model) {
  Strings names;
  for (const auto& [name, read] : model) names.push_back(name);
  return names;
}

std::string MatMul(const std::string& node, const std::string& weight,
                   const std::string& output = "y") {
  return OnnxNodeOf("MatMul", node, {"x", weight}, {output});
}

const std::string kQuery = "model.layers.0.self_attn.q_proj";
const std::string kQueryNode = "/model/layers.0/self_attn/q_proj/";

TEST(OnnxWeights, KeepsParametersThatKeptTheirNames) {
  const ReadModel model = Open(
      BuildOnnx({OnnxNodeOf("Transpose", "", {"a.weight"}, {"t"}), MatMul("/a/MatMul", "t"),
                 OnnxNodeOf("Gemm", "/h/c_fc/Gemm", {"x", "h.c_fc.weight", "h.c_fc.bias"}, {"z"})},
                {OnnxFloats("a.weight", {2, 3}, {1, 2, 3, 4, 5, 6}),
                 OnnxFloats("h.c_fc.weight", {2, 3}, {1, 2, 3, 4, 5, 6}),
                 OnnxFloats("h.c_fc.bias", {3}, {7, 8, 9})}));
  EXPECT_THAT(NamesOf(model), ElementsAre("a.weight", "h.c_fc.bias", "h.c_fc.weight"));
  EXPECT_THAT(model.at("a.weight").shape, ElementsAre(2, 3));
  EXPECT_THAT(model.at("a.weight").numbers, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(model.at("h.c_fc.weight").shape, ElementsAre(2, 3));
}

TEST(OnnxWeights, TurnsWhatConstantFoldingTransposed) {
  const ReadModel model =
      Open(BuildOnnx({MatMul(kQueryNode + "MatMul", "onnx::MatMul_12")},
                     {OnnxFloats("onnx::MatMul_12", {2, 3}, {1, 2, 3, 4, 5, 6})}));
  EXPECT_THAT(NamesOf(model), ElementsAre(kQuery + ".weight"));
  EXPECT_THAT(model.at(kQuery + ".weight").shape, ElementsAre(3, 2));
  EXPECT_THAT(model.at(kQuery + ".weight").numbers, ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(OnnxWeights, TurnsNumbersThatAreStoredAsVarintsToo) {
  const std::string halves = ProtobufVarint(0x3c00) + ProtobufVarint(0x4000) +
                             ProtobufVarint(0x4200) + ProtobufVarint(0x4400);  // 1 2 3 4
  const ReadModel model =
      Open(BuildOnnx({MatMul(kQueryNode + "MatMul", "12")},
                     {OnnxTensorHead("12", kOnnxFloat16, {2, 2}) + ProtobufBytesField(5, halves)}));
  EXPECT_THAT(model.at(kQuery + ".weight").numbers, ElementsAre(1, 3, 2, 4));
}

TEST(OnnxWeights, KnowsAProductByItsBiasWhereNodesHaveNoPath) {
  const ReadModel model = Open(BuildOnnx(
      {MatMul("MatMul_7", "1234"), OnnxNodeOf("Add", "Add_8", {"e.query.bias", "y"}, {"z"}),
       MatMul("MatMul_9", "1235", "u"),
       OnnxNodeOf("SkipLayerNormalization", "s", {"u", "x", "g", "b", "e.output.dense.bias"}, {"v"},
                  {}, "com.microsoft")},
      {OnnxFloats("1234", {1, 2}, {1, 2}), OnnxFloats("1235", {1, 2}, {3, 4}),
       OnnxFloats("e.query.bias", {2}, {5, 6}), OnnxFloats("e.output.dense.bias", {2}, {7, 8})}));
  EXPECT_THAT(model.at("e.query.weight").shape, ElementsAre(2, 1));
  EXPECT_THAT(model.at("e.output.dense.weight").numbers, ElementsAre(3, 4));
}

TEST(OnnxWeights, LeavesWhatNothingTellsUnderItsOwnName) {
  const ReadModel model = Open(BuildOnnx(
      {MatMul("MatMul_7", "1234")},
      {OnnxFloats("1234", {1, 2}, {1, 2}), OnnxFloats("/m/Constant_output_0", {1}, {1e-6f}),
       OnnxTensorOf("shape", kOnnxInt64, {2}, std::string(16, '\0'))}));
  EXPECT_THAT(NamesOf(model), ElementsAre("1234"));
  EXPECT_THAT(model.at("1234").shape, ElementsAre(1, 2));
}

TEST(OnnxWeights, TwoProductsOfOneModuleAreNeither) {
  const ReadModel model = Open(BuildOnnx(
      {MatMul("/m/MatMul", "onnx::MatMul_1"), MatMul("/m/MatMul_1", "onnx::MatMul_2", "z")},
      {OnnxFloats("onnx::MatMul_1", {1, 2}, {1, 2}),
       OnnxFloats("onnx::MatMul_2", {1, 2}, {3, 4})}));
  EXPECT_THAT(NamesOf(model), ElementsAre("onnx::MatMul_1", "onnx::MatMul_2"));
}

TEST(OnnxWeights, GivesEqualParametersTheirNamesBack) {
  const ReadModel model = Open(BuildOnnx(
      {OnnxNodeOf("Identity", "Identity_0", {"h.0.ln.bias"}, {"h.1.ln.bias"}),
       OnnxNodeOf("Identity", "Identity_1", {"wte.weight"}, {"lm_head.weight"})},
      {OnnxFloats("h.0.ln.bias", {2}, {1, 2}), OnnxFloats("wte.weight", {1, 2}, {3, 4})}));
  EXPECT_THAT(NamesOf(model), ElementsAre("h.0.ln.bias", "h.1.ln.bias", "wte.weight"));
  EXPECT_THAT(model.at("h.1.ln.bias").numbers, ElementsAre(1, 2));
}

TEST(OnnxWeights, LeavesOutTheCopyOfATiedEmbedding) {
  const std::string file = BuildOnnx(
      {OnnxNodeOf("Gather", "/wte/Gather", {"wte.weight", "ids"}, {"x"}),
       MatMul("/lm_head/MatMul", "onnx::MatMul_9")},
      {OnnxFloats("wte.weight", {2, 1}, {3, 4}), OnnxFloats("onnx::MatMul_9", {1, 2}, {3, 4})});
  EXPECT_THAT(NamesOf(Open(file, {.tied_head = true})), ElementsAre("wte.weight"));
  EXPECT_THAT(NamesOf(Open(file)), ElementsAre("lm_head.weight", "wte.weight"));
}

TEST(OnnxWeights, TakesOffTheOneThatFoldingAddedToGains) {
  const std::string file = BuildOnnx(
      {OnnxNodeOf("Mul", "/model/layers.0/input_layernorm/Mul_1", {"x", "onnx::Mul_5"}, {"y"})},
      {OnnxFloats("onnx::Mul_5", {2}, {1.5f, 0.5f})});
  const ReadModel gemma = Open(file, {.model_type = "gemma"});
  EXPECT_THAT(gemma.at("model.layers.0.input_layernorm.weight").numbers, ElementsAre(0.5f, -0.5f));
  EXPECT_THAT(NamesOf(Open(file, {.model_type = "llama"})), ElementsAre("onnx::Mul_5"));
}

TEST(OnnxWeights, UnderstandsTheNamesOfTheModelBuilder) {
  const std::string file = BuildOnnx(
      {MatMul("/model/layers.0/attn/qkv_proj/MatMul", "model.layers.0.attn.qkv_proj.MatMul.weight"),
       MatMul("/lm_head/MatMul", "lm_head.MatMul.weight", "z"),
       OnnxNodeOf("GroupQueryAttention", "/model/layers.0/attn/GroupQueryAttention",
                  {"y", "", "", "k", "v", "l", "t", "cos_cache", "sin_cache"}, {"o"}, {},
                  "com.microsoft")},
      {OnnxFloats("model.layers.0.attn.qkv_proj.MatMul.weight", {1, 2}, {1, 2}),
       OnnxFloats("lm_head.MatMul.weight", {2, 1}, {3, 4}),
       OnnxFloats("model.layers.0.attn.qkv_proj.Add.bias", {2}, {5, 6}),
       OnnxFloats("model.layers.0.attn.q_norm.layernorm.weight", {2}, {1, 1}),
       OnnxFloats("model.layers.1.final_norm_layernorm.weight", {2}, {2, 3}),
       OnnxFloats("cos_cache", {2, 1}, {1, 1}), OnnxFloats("sin_cache", {2, 1}, {0, 0})});
  const ReadModel model = Open(file);
  EXPECT_THAT(NamesOf(model),
              ElementsAre("lm_head.weight", "model.layers.0.self_attn.q_norm.weight",
                          "model.layers.0.self_attn.qkv_proj.bias",
                          "model.layers.0.self_attn.qkv_proj.weight", "model.norm.weight"));
  EXPECT_THAT(model.at("lm_head.weight").shape, ElementsAre(1, 2));
  EXPECT_THAT(model.at("model.norm.weight").numbers, ElementsAre(2, 3));
  // The builder adds 1 to gains that are stored as a difference from it.
  EXPECT_THAT(Open(file, {.model_type = "gemma2"}).at("model.norm.weight").numbers,
              ElementsAre(1, 2));
}

TEST(OnnxWeights, CutsFusedAttentionApart) {
  const ReadModel model = Open(
      BuildOnnx({OnnxNodeOf("Attention", "Attention_0",
                            {"x", "Attention_0_qkv_weight", "Attention_0_qkv_bias"}, {"a"}, {},
                            "com.microsoft"),
                 MatMul("MatMul_3", "301"), OnnxNodeOf("MatMul", "MatMul_4", {"a", "302"}, {"b"}),
                 OnnxNodeOf("Add", "Add_4", {"b", "l.0.attention.output.dense.bias"}, {"c"})},
                {OnnxFloats("Attention_0_qkv_weight", {2, 3}, {1, 2, 3, 4, 5, 6}),
                 OnnxFloats("Attention_0_qkv_bias", {3}, {7, 8, 9}), OnnxFloats("301", {1, 1}, {0}),
                 OnnxFloats("302", {1, 2}, {1, 2}),
                 OnnxFloats("l.0.attention.output.dense.bias", {2}, {1, 2})}));
  EXPECT_THAT(model.at("l.0.attention.self.query.weight").numbers, ElementsAre(1, 4));
  EXPECT_THAT(model.at("l.0.attention.self.key.weight").numbers, ElementsAre(2, 5));
  EXPECT_THAT(model.at("l.0.attention.self.value.weight").numbers, ElementsAre(3, 6));
  EXPECT_THAT(model.at("l.0.attention.self.value.weight").shape, ElementsAre(1, 2));
  EXPECT_THAT(model.at("l.0.attention.self.key.bias").numbers, ElementsAre(8));
  EXPECT_FALSE(model.contains("Attention_0_qkv_weight"));
}

TEST(OnnxWeights, CountsWeightsOfBranchesOnce) {
  const auto branch = [](const std::string& weight, float value) {
    return OnnxGraphOf({MatMul(kQueryNode + "MatMul", weight),
                        OnnxNodeOf("MatMul", "/k/MatMul", {"x", "onnx::MatMul_7"}, {"z"})},
                       {OnnxFloats(weight, {1, 2}, {value, value})});
  };
  const ReadModel model =
      Open(BuildOnnx({OnnxNodeOf("If", "if", {"c"}, {"y"},
                                 {OnnxGraphAttribute("then_branch", branch("onnx::MatMul_1", 1)),
                                  OnnxGraphAttribute("else_branch", branch("onnx::MatMul_2", 1))})},
                     {OnnxFloats("onnx::MatMul_7", {1, 2}, {5, 6})}));
  EXPECT_THAT(NamesOf(model), ElementsAre("k.weight", kQuery + ".weight"));
}

TEST(OnnxWeights, DequantisesMatMulInteger) {
  const ReadModel model = Open(BuildOnnx(
      {OnnxNodeOf("MatMulInteger", kQueryNode + "MatMul_quant",
                  {"xq", "onnx::MatMul_1_quantized", "xz", "onnx::MatMul_1_zero_point"}, {"i"}),
       OnnxNodeOf("Cast", "", {"i"}, {"f"}),
       OnnxNodeOf("Mul", "", {"xs", "onnx::MatMul_1_scale"}, {"s"}),
       OnnxNodeOf("Mul", "", {"f", "s"}, {"y"})},
      {OnnxTensorOf("onnx::MatMul_1_quantized", kOnnxInt8, {2, 2}, "\x01\x02\x03\xfc"),
       OnnxFloats("onnx::MatMul_1_scale", {2}, {0.5f, 2}),
       OnnxTensorOf("onnx::MatMul_1_zero_point", kOnnxInt8, {2}, std::string("\x00\x01", 2))}));
  EXPECT_THAT(NamesOf(model), ElementsAre(kQuery + ".weight"));
  // Columns of what is stored are outputs: (1, 3) * 0.5 and (2 - 1, -4 - 1) * 2.
  EXPECT_THAT(model.at(kQuery + ".weight").numbers, ElementsAre(0.5f, 1.5f, 2, -10));
}

TEST(OnnxWeights, DequantisesMatMulNBits) {
  // Two outputs of 20 inputs in blocks of 16: the second block is padded.
  std::string codes;
  for (int i = 0; i < 2 * 2 * 8; ++i) codes += static_cast<char>(i % 16 | (15 - i % 16) << 4);
  const auto with_zeros = [&](bool zeros) {
    return Open(BuildOnnx(
        {OnnxNodeOf("MatMulNBits", kQueryNode + "MatMul_Q4",
                    {"x", "onnx::MatMul_1_Q4", "onnx::MatMul_1_scales", zeros ? "z" : ""}, {"y"},
                    {OnnxAttribute("K", 20), OnnxAttribute("N", 2), OnnxAttribute("bits", 4),
                     OnnxAttribute("block_size", 16)},
                    "com.microsoft")},
        {OnnxTensorOf("onnx::MatMul_1_Q4", kOnnxUint8, {2, 2, 8}, codes),
         OnnxFloats("onnx::MatMul_1_scales", {4}, {1, 2, 3, 4}),
         OnnxTensorOf("z", kOnnxUint8, {2}, "\x21\x43")}));
  };
  const Read read = with_zeros(false).at(kQuery + ".weight");
  ASSERT_THAT(read.shape, ElementsAre(2, 20));
  EXPECT_EQ(read.numbers[0], (0 - 8) * 1);
  EXPECT_EQ(read.numbers[1], (15 - 8) * 1);
  EXPECT_EQ(read.numbers[2], (1 - 8) * 1);
  EXPECT_EQ(read.numbers[16], (8 - 8) * 2);
  EXPECT_EQ(read.numbers[17], (7 - 8) * 2);
  EXPECT_EQ(read.numbers[20], (0 - 8) * 3);
  EXPECT_EQ(read.numbers[36], (8 - 8) * 4);
  const Read zeros = with_zeros(true).at(kQuery + ".weight");
  EXPECT_EQ(zeros.numbers[0], (0 - 1) * 1);
  EXPECT_EQ(zeros.numbers[16], (8 - 2) * 2);
  EXPECT_EQ(zeros.numbers[20], (0 - 3) * 3);
  EXPECT_EQ(zeros.numbers[36], (8 - 4) * 4);
}

TEST(OnnxWeights, DequantisesTables) {
  const ReadModel blocks = Open(BuildOnnx(
      {OnnxNodeOf("GatherBlockQuantized", "/model/embed_tokens/Gather_Q4",
                  {"model.embed_tokens.weight_Q4", "ids", "s"}, {"x"},
                  {OnnxAttribute("bits", 4), OnnxAttribute("block_size", 2)}, "com.microsoft")},
      {OnnxTensorOf("model.embed_tokens.weight_Q4", kOnnxUint8, {1, 2}, "\x98\xa6"),
       OnnxFloats("s", {1, 2}, {1, 2})}));
  EXPECT_THAT(blocks.at("model.embed_tokens.weight").numbers, ElementsAre(0, 1, -4, 4));
  const ReadModel plain = Open(
      BuildOnnx({OnnxNodeOf("Gather", "/wte/Gather_quant", {"wte.weight_quantized", "ids"}, {"q"}),
                 OnnxNodeOf("DequantizeLinear", "d",
                            {"q", "wte.weight_scale", "wte.weight_zero_point"}, {"x"})},
                {OnnxTensorOf("wte.weight_quantized", kOnnxUint8, {1, 2}, "\x82\x7f"),
                 OnnxFloats("wte.weight_scale", {}, {0.5f}),
                 OnnxTensorOf("wte.weight_zero_point", kOnnxUint8, {}, "\x80")}));
  EXPECT_THAT(plain.at("wte.weight").numbers, ElementsAre(1, -0.5f));
}

TEST(OnnxWeights, DequantisesBlocksOfHalfBytesInEitherOrder) {
  // Codes [4 inputs, 2 outputs] in blocks of two inputs: 1 2 | 3 4 | 5 6 | 7 -8.
  const std::string codes("\x21\x43\x65\x87", 4);
  const auto model = [&](bool turned) {
    const std::string read = turned ? "t" : "d";
    Strings nodes = {OnnxNodeOf("DequantizeLinear", "", {"1_q", "1_s"}, {"d"},
                                {OnnxAttribute("axis", 0), OnnxAttribute("block_size", 2)})};
    if (turned) nodes.push_back(OnnxNodeOf("Transpose", "", {"d"}, {"t"}));
    nodes.push_back(MatMul(kQueryNode + "MatMul", read));
    return Open(BuildOnnx(nodes, {OnnxTensorOf("1_q", kOnnxInt4, {4, 2}, codes),
                                  OnnxFloats("1_s", {2, 2}, {1, 10, 100, 1000})}));
  };
  EXPECT_THAT(model(false).at(kQuery + ".weight").numbers,
              ElementsAre(1, 3, 500, 700, 20, 40, 6000, -8000));
  EXPECT_THAT(model(true).at(kQuery + ".weight").numbers,
              ElementsAre(1, 20, 3, 40, 500, 6000, 700, -8000));
}

TEST(OnnxWeights, RefusesQuantisedWeightsThatItDoesNotRead) {
  const auto nbits = [](int64_t bits, int64_t block, const std::string& order) {
    return Refused(
        BuildOnnx({OnnxNodeOf("MatMulNBits", "", {"x", "w", "s", "", order}, {"y"},
                              {OnnxAttribute("K", 16), OnnxAttribute("N", 1),
                               OnnxAttribute("bits", bits), OnnxAttribute("block_size", block)})},
                  {OnnxTensorOf("w", kOnnxUint8, {1, 1, 8}, std::string(8, 'x')),
                   OnnxFloats("s", {1}, {1})}));
  };
  EXPECT_EQ(nbits(3, 16, "").problem, "codes of this number of bits are not read");
  EXPECT_EQ(nbits(4, 32, "").problem, "scales of a quantised weight do not fit its shape");
  EXPECT_EQ(nbits(4, -1, "").problem, "scales of a quantised weight do not fit its shape");
  EXPECT_EQ(nbits(4, 16, "order").problem,
            "quantised weights with permuted inputs (g_idx) are not read");
  const Error unknown = Refused(BuildOnnx({OnnxNodeOf("Strange", "n", {"w"}, {"y"})},
                                          {OnnxTensorOf("w", kOnnxInt8, {2, 2}, "abcd")}));
  EXPECT_EQ(unknown.problem, "quantised tensor is used in a way that is not read");
  EXPECT_EQ(unknown.found, "node n (Strange)");
}

std::string ExternalModel(const std::string& location, uint64_t offset) {
  return BuildOnnx({}, {OnnxExternal("a.weight", kOnnxFloat, {2}, location, offset, 8)});
}

TEST(OnnxWeights, ReadsSeveralFilesOfExternalData) {
  const ScratchFolder folder;
  folder.Write("model.onnx_data", "1234" + BytesOf({1, 2}));
  folder.Write("sub/model.onnx_data_1", BytesOf({3, 4}));
  const auto path = folder.Write(
      "model.onnx",
      BuildOnnx({}, {OnnxExternal("a.weight", kOnnxFloat, {2}, "model.onnx_data", 4, 8),
                     OnnxExternal("b.weight", kOnnxFloat, {2}, "sub/model.onnx_data_1", 0, 8)}));
  const auto weights = OpenStoredWeights(path);
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  const ReadModel model = ReadAll(**weights);
  EXPECT_THAT(model.at("a.weight").numbers, ElementsAre(1, 2));
  EXPECT_THAT(model.at("b.weight").numbers, ElementsAre(3, 4));
}

TEST(OnnxWeights, KeepsExternalDataInsideTheFolder) {
  const ScratchFolder folder;
  folder.Write("secret", BytesOf({1, 2}));
  folder.Write("m/short", "1234");
  std::filesystem::create_symlink("../secret", folder.path() / "m" / "link");
  const auto problem = [&](const std::string& location, uint64_t offset) {
    const auto path = folder.Write("m/model.onnx", ExternalModel(location, offset));
    const auto weights = OpenOnnxWeights({path});
    EXPECT_FALSE(weights) << location;
    return weights ? std::string() : weights.error().problem;
  };
  const std::string outside = "external data lies outside of the model's folder";
  EXPECT_EQ(problem("../secret", 0), outside);
  EXPECT_EQ(problem("a/../../secret", 0), outside);
  EXPECT_EQ(problem((folder.path() / "secret").string(), 0), outside);
  EXPECT_EQ(problem("link", 0), "external data is a link that leads out of the model's folder");
  EXPECT_EQ(problem("missing", 0), "file of external data is missing");
  EXPECT_EQ(problem("short", 0), "external data ends past the end of its file");
  EXPECT_EQ(problem("short", UINT64_MAX), "external data ends past the end of its file");
}

TEST(OnnxWeights, FollowsTheLinksOfAHubCache) {
  const ScratchFolder folder;
  folder.Write("models--o--n/blobs/abc", BytesOf({1, 2}));
  const auto path =
      folder.Write("models--o--n/snapshots/r/onnx/model.onnx", ExternalModel("model.onnx_data", 0));
  std::filesystem::create_symlink("../../../blobs/abc", path.parent_path() / "model.onnx_data");
  const auto weights = OpenOnnxWeights({path});
  EXPECT_TRUE(weights) << DescribeError(weights.error());
}

TEST(OnnxWeights, JoinsEncoderAndDecoder) {
  const ScratchFolder folder;
  const auto encoder =
      folder.Write("encoder_model.onnx",
                   BuildOnnx({MatMul("/block.0/layer.0/SelfAttention/q/MatMul", "onnx::MatMul_1")},
                             {OnnxFloats("onnx::MatMul_1", {1, 1}, {1}),
                              OnnxFloats("shared.weight", {2}, {1, 2}),
                              OnnxFloats("final_layer_norm.weight", {2}, {1, 1})}));
  const auto decoder = folder.Write(
      "decoder_model_merged.onnx",
      BuildOnnx(
          {MatMul("/decoder/block.0/layer.0/SelfAttention/q/MatMul", "onnx::MatMul_1")},
          {OnnxFloats("onnx::MatMul_1", {1, 1}, {2}), OnnxFloats("shared.weight", {2}, {1, 2})}));
  folder.Write("decoder_with_past_model.onnx", "");
  const auto weights = OpenStoredWeights(folder.path());
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  EXPECT_THAT(NamesOf(ReadAll(**weights)),
              ElementsAre("decoder.block.0.layer.0.SelfAttention.q.weight",
                          "encoder.block.0.layer.0.SelfAttention.q.weight",
                          "encoder.final_layer_norm.weight", "shared.weight"));
  EXPECT_EQ((*OpenStoredWeights(encoder))->tensors().size(), 4u);  // either half names both
  EXPECT_EQ((*OpenStoredWeights(decoder))->tensors().size(), 4u);
}

TEST(OnnxFiles, ListsWhatAFolderOfExportsHolds) {
  const ScratchFolder folder;
  const std::string model = BuildOnnx({}, {OnnxFloats("a.weight", {2}, {1, 2})});
  folder.Write("config.json", "{}");
  folder.Write("onnx/model.onnx", model);
  EXPECT_TRUE(OpenStoredWeights(folder.path()));
  folder.Write("onnx/model_q4.onnx", model);
  const auto two = OpenStoredWeights(folder.path());
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().problem, "folder holds more than one model");
  EXPECT_EQ(two.error().found, "model.onnx, model_q4.onnx");
  EXPECT_TRUE(OpenStoredWeights(folder.path() / "onnx" / "model_q4.onnx"));
}

TEST(OnnxFiles, AnEncoderAloneIsNoModel) {
  const ScratchFolder folder;
  const auto encoder = folder.Write("encoder_model.onnx", "");
  EXPECT_EQ(OpenStoredWeights(folder.path()).error().problem,
            "an encoder without its decoder is not a whole model");
  EXPECT_EQ(OpenStoredWeights(encoder).error().problem,
            "an encoder without its decoder is not a whole model");
}

}  // namespace
}  // namespace tensorguard::internal
