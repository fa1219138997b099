#include "formats/onnx/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "tests/support/onnx_builder.h"

namespace tensorguard::internal {
namespace {

OnnxModel Parsed(const std::string& file) {
  auto model = ParseOnnx(SourceOf(file));
  EXPECT_TRUE(model) << (model ? "" : DescribeError(model.error()));
  return model ? *std::move(model) : OnnxModel();
}

std::string BytesOf(const std::string& file, const OnnxTensor& tensor) {
  if (const auto* bytes = std::get_if<std::string>(&tensor.data)) return *bytes;
  const auto& range = std::get<OnnxInlineData>(tensor.data);
  return file.substr(range.begin_bytes, range.end_bytes - range.begin_bytes);
}

TEST(Onnx, GivesTensorsAndNodes) {
  const std::string file = BuildOnnx(
      {OnnxNodeOf("Gemm", "/fc/Gemm", {"x", "fc.weight", ""}, {"y"}, {OnnxAttribute("transB", 1)}),
       OnnxNodeOf("Transpose", "t", {"y"}, {"z"}, {OnnxListAttribute("perm", {1, 0})}, "ai.onnx")},
      {OnnxFloats("fc.weight", {2, 3}, {1, 2, 3, 4, 5, 6})});
  const OnnxModel model = Parsed(file);
  EXPECT_EQ(model.producer, "a test");
  ASSERT_EQ(model.tensors.size(), 1u);
  EXPECT_EQ(model.tensors[0].name, "fc.weight");
  EXPECT_EQ(model.tensors[0].dtype, DType::kF32);
  EXPECT_THAT(model.tensors[0].shape, testing::ElementsAre(2, 3));
  EXPECT_EQ(BytesOf(file, model.tensors[0]).substr(4, 4), std::string("\0\0\0\x40", 4));
  ASSERT_EQ(model.nodes.size(), 2u);
  EXPECT_EQ(model.nodes[0].op_type, "Gemm");
  EXPECT_THAT(model.nodes[0].inputs, testing::ElementsAre("x", "fc.weight", ""));
  EXPECT_EQ(model.nodes[0].Number("transB", 0), 1);
  EXPECT_EQ(model.nodes[0].Number("transA", 7), 7);
  EXPECT_EQ(model.nodes[1].domain, "ai.onnx");
  EXPECT_THAT(model.nodes[1].lists.at("perm"), testing::ElementsAre(1, 0));
}

TEST(Onnx, ReadsNumbersStoredByType) {
  const std::string floats("\0\0\x80\x3f\0\0\0\x40", 8);  // 1, 2
  const std::string halves = ProtobufVarint(0x3c00) + ProtobufVarint(0x4000);
  // A negative INT8 is a varint of ten bytes.
  const std::string bytes = ProtobufVarint(static_cast<uint64_t>(-5)) + ProtobufVarint(7);
  const std::string file = BuildOnnx(
      {}, {OnnxTensorHead("f", kOnnxFloat, {2}) + ProtobufBytesField(4, floats),
           OnnxTensorHead("h", kOnnxFloat16, {2}) + ProtobufBytesField(5, halves),
           OnnxTensorHead("b", kOnnxInt8, {2}) + ProtobufBytesField(5, bytes),
           OnnxTensorHead("single", kOnnxInt8, {2}) + ProtobufNumber(5, 3) + ProtobufNumber(5, 4),
           OnnxTensorHead("packed", kOnnxInt4, {3}) +
               ProtobufBytesField(5, ProtobufVarint(0x21) + ProtobufVarint(0x3))});
  const OnnxModel model = Parsed(file);
  ASSERT_EQ(model.tensors.size(), 5u);
  EXPECT_TRUE(std::holds_alternative<OnnxInlineData>(model.tensors[0].data));
  EXPECT_EQ(BytesOf(file, model.tensors[0]), floats);
  EXPECT_EQ(BytesOf(file, model.tensors[1]), std::string("\0\x3c\0\x40", 4));
  EXPECT_EQ(BytesOf(file, model.tensors[2]), "\xfb\x07");
  EXPECT_EQ(BytesOf(file, model.tensors[3]), "\x03\x04");
  EXPECT_EQ(BytesOf(file, model.tensors[4]), "\x21\x03");
  EXPECT_EQ(model.tensors[4].nibbles, OnnxNibbles::kSigned);
}

TEST(Onnx, KnowsExternalDataConstantsAndInnerGraphs) {
  const std::string inner =
      OnnxGraphOf({OnnxNodeOf("Constant", "c", {}, {"/c_output_0"},
                              {OnnxTensorAttribute("value", OnnxFloats("", {2}, {1, 2}))})},
                  {OnnxFloats("inner.weight", {2}, {3, 4})});
  const std::string file = BuildOnnx(
      {OnnxNodeOf(
          "If", "if", {"use_cache"}, {"y"},
          {OnnxGraphAttribute("then_branch", inner), OnnxGraphAttribute("else_branch", inner)})},
      {OnnxExternal("w", kOnnxFloat, {4}, "model.onnx_data", 4096, 16)});
  const OnnxModel model = Parsed(file);
  ASSERT_EQ(model.graphs.size(), 3u);
  EXPECT_EQ(model.graphs[1].outer, 0u);
  EXPECT_EQ(model.graphs[2].outer, 0u);
  ASSERT_EQ(model.tensors.size(), 5u);  // the same names in two branches are no twins
  EXPECT_EQ(model.tensors[0].name, "/c_output_0");
  EXPECT_EQ(model.tensors[0].graph, 1u);
  const auto& external = std::get<OnnxExternalData>(model.tensors[4].data);
  EXPECT_EQ(external.location, "model.onnx_data");
  EXPECT_EQ(external.begin_bytes, 4096u);
  EXPECT_EQ(external.length_bytes, 16u);
}

TEST(Onnx, ReadsConstantsOfFunctions) {
  const std::string function = ProtobufBytesField(
      7, OnnxNodeOf("Constant", "c", {}, {"scale"},
                    {OnnxTensorAttribute("value", OnnxFloats("", {2}, {1, 2}))}));
  const std::string file =
      OnnxModelOf(OnnxGraphOf({}, {OnnxFloats("w", {1}, {1})})) + ProtobufBytesField(25, function);
  const OnnxModel model = Parsed(file);
  ASSERT_EQ(model.tensors.size(), 2u);
  EXPECT_EQ(model.tensors[1].name, "scale");
  EXPECT_EQ(model.graphs[1].outer, std::nullopt);
}

}  // namespace
}  // namespace tensorguard::internal
