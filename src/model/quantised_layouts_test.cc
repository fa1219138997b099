// The names of published quantised models, with small tensors of their types: what is decoded has
// the names of the unquantised model.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "architecture/architecture.h"
#include "base/checked.h"
#include "base/json.h"
#include "tests/support/quantised_builder.h"
#include "tests/support/shared_data.h"
#include "weights/quantised/quantised_weights.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRows = 64;
constexpr uint64_t kColumns = 128;

fs::path Layouts() { return SharedData("real/layouts"); }

// What a tensor of this ending looks like in a model of matrices of kRows x kColumns.
struct Shape {
  const char* ending;
  DType dtype;
  std::vector<uint64_t> shape;
  std::string bytes = {};  // empty: zeros
};

// Tensors by name, held in memory.
class NamedWeights : public WeightSource {
 public:
  // The first shape whose ending fits; codes of 4 bits beside their scales; others are vectors
  // of BF16.
  NamedWeights(const std::set<std::string>& names, const std::vector<Shape>& shapes) {
    for (const std::string& name : names) {
      const auto found = std::find_if(shapes.begin(), shapes.end(), [&](const Shape& shape) {
        return name.ends_with(shape.ending);
      });
      TensorInfo info;
      info.name = name;
      info.dtype = DType::kBF16;
      info.shape = {kRows};
      std::string bytes;
      if (names.contains(name + ".absmax")) {
        info.dtype = DType::kU8;
        info.shape = {kRows * kColumns / 2, 1};
      } else if (found != shapes.end()) {
        info.dtype = found->dtype;
        info.shape = found->shape;
        bytes = found->bytes;
      }
      info.element_count = *ElementCount(info.shape);
      info.stored_bytes = info.element_count * InfoOf(info.dtype).bits / 8;
      bytes.resize(info.stored_bytes);
      tensors_.push_back(std::move(info));
      bytes_.push_back(std::move(bytes));
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  Result<void> ReadFloat32(size_t tensor, uint64_t first, std::span<float> out) const override {
    // Numbers that are not zero where bytes were given.
    for (size_t i = 0; i < out.size(); ++i) out[i] = bytes_[tensor].at(first + i) != 0 ? 1 : 0;
    return {};
  }
  bool IsBFloat16(size_t) const override { return false; }
  Result<void> ReadBFloat16(size_t, uint64_t, std::span<BFloat16>) const override { return {}; }
  Result<void> ReadBytes(size_t tensor, uint64_t first, std::span<std::byte> out) const override {
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<std::byte>(bytes_[tensor].at(first + i));
    return {};
  }

 private:
  std::vector<TensorInfo> tensors_;
  std::vector<std::string> bytes_;
};

std::set<std::string> NamesIn(const std::string& folder) {
  std::set<std::string> names;
  const auto index =
      ReadJsonFile(Layouts() / folder / "model.safetensors.index.json", kIndexJsonLimitBytes);
  EXPECT_TRUE(index) << folder;
  if (!index) return names;
  for (const auto& [name, shard] : index->at("weight_map").items()) names.insert(name);
  return names;
}

Json ConfigIn(const std::string& folder) {
  auto config = ReadJsonFile(Layouts() / folder / "config.json");
  EXPECT_TRUE(config) << folder;
  return config ? *std::move(config) : Json();
}

std::shared_ptr<const WeightSource> Decoded(const std::string& folder,
                                            const std::vector<Shape>& shapes) {
  const auto config = ReadQuantisationConfig(ConfigIn(folder), Layouts() / folder);
  EXPECT_TRUE(config);
  auto weights =
      DequantiseWeights(std::make_shared<NamedWeights>(NamesIn(folder), shapes), *config);
  EXPECT_TRUE(weights) << folder << DescribeError(weights.error());
  return weights ? *weights : nullptr;
}

std::set<std::string> NamesOf(const WeightSource& weights) {
  std::set<std::string> names;
  for (const TensorInfo& tensor : weights.tensors()) names.insert(tensor.name);
  return names;
}

size_t QuantisedCount(const WeightSource& weights) {
  const auto& tensors = weights.tensors();
  return static_cast<size_t>(
      std::count_if(tensors.begin(), tensors.end(),
                    [](const TensorInfo& tensor) { return !tensor.quantisation.empty(); }));
}

// Nothing of a quantiser is left, and nothing that the architecture does not know.
void ExpectPlain(const std::string& folder, const WeightSource& weights) {
  const Architecture architecture = Understand(ConfigIn(folder), weights.tensors());
  for (size_t i = 0; i < architecture.roles.size(); ++i) {
    EXPECT_NE(architecture.roles[i].role, Role::kScale) << weights.tensors()[i].name;
  }
}

std::vector<Shape> GptqShapes() {
  return {{".c_attn.bias", DType::kF16, {kRows}, std::string(kRows * 2, '\1')},
          {".qweight", DType::kI32, {kColumns / 8, kRows}},
          {".qzeros", DType::kI32, {1, kRows / 8}, std::string(kRows / 2, '\x77')},
          {".scales", DType::kF16, {1, kRows}},
          {".g_idx", DType::kI32, {kColumns}}};
}

TEST(QuantisedLayouts, GptqHasTheNamesOfQwen) {
  SKIP_WITHOUT(Layouts());
  const auto weights = Decoded("qwen1-7b-chat-gptq-int4", GptqShapes());
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(NamesOf(*weights), NamesIn("qwen1-7b-cantonese"));
  EXPECT_EQ(QuantisedCount(*weights), 32u * 5);
  ExpectPlain("qwen1-7b-chat-gptq-int4", *weights);
}

TEST(QuantisedLayouts, GptqLeavesAVisionTowerAsItIs) {
  SKIP_WITHOUT(Layouts());
  const auto weights = Decoded("qwen-vl-chat-gptq-int4", GptqShapes());
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(QuantisedCount(*weights), 32u * 5);
  EXPECT_TRUE(
      NamesOf(*weights).contains("transformer.visual.transformer.resblocks.3.mlp.c_fc.bias"));
  ExpectPlain("qwen-vl-chat-gptq-int4", *weights);
}

// Three bits, embedding and head included.
TEST(QuantisedLayouts, MlxHasTheNamesOfQwen) {
  SKIP_WITHOUT(Layouts());
  const auto norms = Shape{"norm.weight", DType::kBF16, {kColumns}};
  const auto weights =
      Decoded("qwen2.5-14b-mlx-4bit", {norms,
                                       {".weight", DType::kU32, {kRows, kColumns * 3 / 32}},
                                       {".scales", DType::kBF16, {kRows, kColumns / 64}},
                                       {".biases", DType::kBF16, {kRows, kColumns / 64}}});
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(NamesOf(*weights), NamesIn("qwen2.5-14b-sakura"));
  EXPECT_EQ(QuantisedCount(*weights), 48u * 7 + 2);
  ExpectPlain("qwen2.5-14b-mlx-4bit", *weights);
}

TEST(QuantisedLayouts, Mxfp4HasTheNamesOfGptOss) {
  SKIP_WITHOUT(Layouts());
  const auto weights = Decoded("gpt-oss-20b-mxfp4", {{"_blocks", DType::kU8, {2, kRows, 4, 16}},
                                                     {"_scales", DType::kU8, {2, kRows, 4}}});
  ASSERT_NE(weights, nullptr);
  const auto expected = ReadJsonFile(Layouts() / "expected" / "gpt-oss-20b-dequantised.json");
  ASSERT_TRUE(expected);
  std::set<std::string> names;
  for (const auto& [pattern, entry] : expected->at("tensors").items()) {
    const size_t place = pattern.find("{i}");
    for (int layer = 0; layer < (place == std::string::npos ? 1 : 24); ++layer) {
      std::string name = pattern;
      if (place != std::string::npos) name.replace(place, 3, std::to_string(layer));
      names.insert(name);
    }
  }
  EXPECT_EQ(NamesOf(*weights), names);
  EXPECT_EQ(QuantisedCount(*weights), 24u * 2);
  ExpectPlain("gpt-oss-20b-mxfp4", *weights);
}

std::vector<Shape> Nf4Shapes(bool nested) {
  const std::string state = R"({"quant_type": "nf4", "blocksize": 64, "dtype": "float16",
      "shape": [64, 128], "nested_blocksize": 256, "nested_offset": 0.5})";
  return {{".quant_state.bitsandbytes__nf4", DType::kU8, {state.size()}, state},
          {".nested_absmax", DType::kF32, {1}},
          {".nested_quant_map", DType::kF32, {256}},
          {".quant_map", DType::kF32, {16}},
          {".absmax", nested ? DType::kU8 : DType::kF32, {kRows * kColumns / 64}}};
}

TEST(QuantisedLayouts, Nf4HasTheNamesOfMolmo) {
  SKIP_WITHOUT(Layouts());
  const auto weights = Decoded("molmo-7b-d-nf4", Nf4Shapes(false));
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(QuantisedCount(*weights), 28u * 4);
  EXPECT_EQ(weights->tensors().size(), 921u - 28 * 4 * 3);
  ExpectPlain("molmo-7b-d-nf4", *weights);
}

TEST(QuantisedLayouts, Nf4LeavesAnAdapterThatWasNotMerged) {
  SKIP_WITHOUT(Layouts());
  const auto weights = Decoded("llava-next-video-7b-nf4-lora-unmerged", Nf4Shapes(true));
  ASSERT_NE(weights, nullptr);
  const auto names = NamesOf(*weights);
  EXPECT_TRUE(names.contains("language_model.model.layers.9.self_attn.q_proj.base_layer.weight"));
  EXPECT_TRUE(
      names.contains("language_model.model.layers.9.self_attn.q_proj.lora_A.default.weight"));
  EXPECT_EQ(weights->tensors().size(), 3129u - 5 * QuantisedCount(*weights));
}

TEST(QuantisedLayouts, CompressedTensorsHasOneWeightForEachExpert) {
  SKIP_WITHOUT(Layouts());
  const auto weights =
      Decoded("gemma-4-26b-a4b-w4a16-compressed-tensors",
              {{".weight_packed", DType::kI32, {kRows, kColumns / 8}},
               {".weight_scale", DType::kBF16, {kRows, kColumns / 32}},
               {".weight_shape", DType::kI64, {2}, BytesOf<uint64_t>({kRows, kColumns})}});
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(QuantisedCount(*weights), 3u * 3840 + 3 * 30 + 25);
  EXPECT_EQ(weights->tensors().size(), 35743u - 2 * QuantisedCount(*weights));
  ExpectPlain("gemma-4-26b-a4b-w4a16-compressed-tensors", *weights);
}

// A scheme of one publisher alone.
TEST(QuantisedLayouts, RefuseSalientChannelsByName) {
  std::set<std::string> names;
  for (const char* part :
       {"qweight", "scales", "res_u", "res_v", "salient_idx", "salient_weight"}) {
    names.insert(std::string("model.layers.0.mlp.up_proj.") + part);
  }
  const auto weights = DequantiseWeights(
      std::make_shared<NamedWeights>(
          names, std::vector<Shape>{{"qweight", DType::kI8, {kRows, kColumns / 2}},
                                    {"salient_weight", DType::kI8, {kRows, 8}}}),
      {.method = "dv_ssq_hadamard_int8_int4_rco"});
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(weights.error().problem,
            "weights quantised with salient channels with a low-rank rest are not read");
}

}  // namespace
}  // namespace tensorguard::internal
