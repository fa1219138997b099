// ONNX files that lie: one row per way, with the error it must give.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "formats/onnx/onnx.h"
#include "tests/support/onnx_builder.h"

namespace tensorguard::internal {
namespace {

struct Row {
  std::string name;
  std::string file;
  std::string problem;
  std::string tensor = {};
  ErrorKind kind = ErrorKind::kBadFile;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string One(const std::string& tensor) { return BuildOnnx({}, {tensor}); }

std::string Floats(const std::vector<uint64_t>& shape, size_t bytes) {
  return One(OnnxTensorOf("w", kOnnxFloat, shape, std::string(bytes, '\0')));
}

std::string Head(uint64_t type, const std::string& rest) {
  return One(OnnxTensorHead("w", type, {2}) + rest);
}

std::string Nested(size_t depth) {
  std::string graph = OnnxGraphOf({}, {});
  for (size_t i = 0; i < depth; ++i) {
    graph = OnnxGraphOf({OnnxNodeOf("If", "", {}, {}, {OnnxGraphAttribute("g", graph)})}, {});
  }
  return OnnxModelOf(graph);
}

// A run of `count` fields, each as it is.
std::string Repeated(const std::string& field, size_t count) {
  std::string fields;
  for (size_t i = 0; i < count; ++i) fields += field;
  return fields;
}

const std::string kReaches = "a protobuf field reaches beyond the end of its message";
const std::string kLength = "tensor's data is not as long as its shape says";
constexpr auto kUnsupported = ErrorKind::kUnsupported;

std::vector<Row> Rows() {
  return {
      {"empty", "", "file holds no ONNX graph"},
      {"text", "hello world, I am no model", "wire type 4 in a protobuf message"},
      {"cut_in_a_length", "\x3a\xff", "a protobuf message ends within a number"},
      {"length_beyond_the_file", "\x3a\x7f", kReaches},
      {"length_of_64_bits", "\x3a" + ProtobufVarint(UINT64_MAX), kReaches},
      {"number_of_eleven_bytes", "\x08" + std::string(10, '\xff') + "\x01",
       "a number in a protobuf message is too long"},
      {"field_zero", std::string("\x02\x00", 2), "field number 0 in a protobuf message"},
      {"two_graphs", BuildOnnx({}, {}) + BuildOnnx({}, {}), "ONNX model has two graphs"},
      {"graph_is_a_number", ProtobufNumber(7, 1), "field 7 is not stored as ONNX stores it"},
      {"no_name", One(OnnxTensorOf("", kOnnxFloat, {}, std::string(4, '\0'))),
       "initialiser has no name"},
      {"name_is_not_utf8", One(OnnxTensorOf("\xff", kOnnxFloat, {}, std::string(4, '\0'))),
       "name in an ONNX file is not UTF-8"},
      {"twins", BuildOnnx({}, {OnnxFloats("w", {1}, {1}), OnnxFloats("w", {1}, {2})}),
       "initialiser is there twice", "w"},
      {"too_little_data", Floats({2}, 4), kLength, "w"},
      {"too_much_data", Floats({2}, 12), kLength, "w"},
      {"no_data", Head(kOnnxFloat, ""), kLength, "w"},
      {"shape_overflows", Floats({uint64_t{1} << 40, uint64_t{1} << 40}, 8),
       "shape is too large to address", "w"},
      {"bits_overflow", Floats({uint64_t{1} << 62}, 8), "shape is too large to address", "w"},
      {"negative_dimension", Floats({static_cast<uint64_t>(-1)}, 8),
       "shape is too large to address", "w"},
      {"too_many_dimensions", Floats(std::vector<uint64_t>(17, 1), 4),
       "tensor has too many dimensions"},
      {"string", Head(8, ProtobufBytesField(6, "a")), "tensor type is not read", "w", kUnsupported},
      {"complex128", Head(15, ""), "tensor type is not read", "w", kUnsupported},
      {"unknown_type", Head(99, ""), "tensor type is not read", "w", kUnsupported},
      {"data_twice",
       Head(kOnnxFloat, ProtobufBytesField(9, std::string(8, 'x')) +
                            ProtobufBytesField(4, std::string(8, 'x'))),
       "tensor has its data twice", "w"},
      {"numbers_of_another_type", Head(kOnnxFloat, ProtobufBytesField(7, "\x01\x02")),
       "tensor's numbers lie in a field of another type", "w"},
      {"cut_packed_number", Head(kOnnxInt64, ProtobufBytesField(7, "\x01\x82")),
       "a protobuf message ends within a number", "w"},
      {"segments", Head(kOnnxFloat, ProtobufBytesField(3, "")), "tensors in segments are not read",
       "", kUnsupported},
      {"sparse", OnnxModelOf(ProtobufBytesField(15, "")), "sparse initialisers are not read", "",
       kUnsupported},
      {"external_without_place", Head(kOnnxFloat, ProtobufNumber(14, 1)),
       "tensor lies in another file, but does not say which", "w"},
      {"external_of_another_length", One(OnnxExternal("w", kOnnxFloat, {2}, "d", 0, 9)), kLength,
       "w"},
      {"external_offset_is_no_number",
       Head(kOnnxFloat,
            ProtobufBytesField(13, ProtobufBytesField(1, "offset") + ProtobufBytesField(2, "-1"))),
       "offset of external data is no whole number"},
      {"graphs_in_graphs", Nested(20), "ONNX file holds more graphs in graphs than this program",
       "", kUnsupported},
      {"unpacked_numbers",
       One(OnnxTensorHead("w", kOnnxInt8, {100000}) + Repeated(ProtobufNumber(5, 1), 100000)),
       "ONNX file holds more unpacked numbers than this program reads", "", kUnsupported},
  };
}

class OnnxHostile : public testing::TestWithParam<Row> {};

TEST_P(OnnxHostile, IsRefusedWithTheReason) {
  const Row& row = GetParam();
  const auto model = ParseOnnx(SourceOf(row.file));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().problem.substr(0, row.problem.size()), row.problem);
  if (!row.tensor.empty()) {
    EXPECT_EQ(model.error().tensor, row.tensor);
  }
  EXPECT_EQ(model.error().kind, row.kind);
}

INSTANTIATE_TEST_SUITE_P(Rows, OnnxHostile, testing::ValuesIn(Rows()),
                         [](const auto& row) { return row.param.name; });

// No prefix of a valid file makes the reader read past it.
TEST(OnnxHostile, EveryCutIsRefusedOrShorter) {
  const std::string file = BuildOnnx(
      {OnnxNodeOf("MatMul", "/a/MatMul", {"x", "w"}, {"y"}, {OnnxListAttribute("p", {1, 0})})},
      {OnnxFloats("w", {2, 2}, {1, 2, 3, 4}), OnnxExternal("e", kOnnxFloat, {1}, "data", 0, 4)});
  ASSERT_TRUE(ParseOnnx(SourceOf(file)));
  for (size_t length = 0; length < file.size(); ++length) {
    const std::string cut = file.substr(0, length);
    EXPECT_FALSE(ParseOnnx(SourceOf(cut))) << length;
  }
}

}  // namespace
}  // namespace tensorguard::internal
