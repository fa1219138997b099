// Files that lie: one row per way, with the error it must give.
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "safetensors/safetensors.h"
#include "tests/support/safetensors_builder.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

struct Row {
  std::string name;
  std::string file;
  std::string problem;
  std::string tensor = {};
  std::optional<uint64_t> byte_offset = {};
  ErrorKind kind = ErrorKind::kBadFile;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string LengthField(uint64_t length) {
  std::string bytes(8, '\0');
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

std::string Repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string WithData(const std::string& header, size_t data_bytes) {
  return BuildRawSafetensors(header, std::string(data_bytes, '\1'));
}

// {"w": {"dtype":DTYPE,"shape":SHAPE,"data_offsets":OFFSETS}}, each as it is, and its data.
std::string One(const std::string& dtype, const std::string& shape, const std::string& offsets,
                size_t data_bytes) {
  return WithData(
      R"({"w":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}",
      data_bytes);
}

const std::string kGoodEntry = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";

std::vector<Row> LengthRows() {
  return {
      {"empty_file", "", "file is too short for a safetensors header", "", 0},
      {"seven_bytes", std::string(7, '\0'), "file is too short for a safetensors header", "", 0},
      {"header_of_no_bytes", LengthField(0), "header does not start with {", "", 8},
      {"header_longer_than_file", LengthField(100) + "{}", "header ends past the end of the file",
       "", 0},
      {"header_longer_by_one", LengthField(3) + "{}", "header ends past the end of the file", "",
       0},
      {"header_above_the_cap", LengthField(100'000'001) + "{}",
       "not a safetensors file, or its header length is wrong", "", 0},
      {"header_at_the_cap_but_absent", LengthField(100'000'000) + "{}",
       "header ends past the end of the file", "", 0},
      {"length_wraps_around_when_eight_is_added", LengthField(UINT64_MAX - 7) + "{}",
       "not a safetensors file, or its header length is wrong", "", 0},
      {"length_of_all_ones", LengthField(UINT64_MAX) + "{}",
       "not a safetensors file, or its header length is wrong", "", 0},
      {"length_big_endian", std::string("\0\0\0\0\0\0\0\x02{}", 10),
       "not a safetensors file, or its header length is wrong", "", 0},
      {"git_lfs_pointer",
       "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 90868376\n",
       "a Git LFS pointer, not the file itself"},
      {"another_format", "GGUF\x03" + std::string(40, '\0'),
       "not a safetensors file, or its header length is wrong", "", 0},
      {"web_page", "<!DOCTYPE html><html>not found</html>",
       "not a safetensors file, or its header length is wrong", "", 0},
  };
}

std::vector<Row> JsonRows() {
  const std::string not_json = "header is not valid JSON";
  return {
      {"header_is_a_number", WithData("12", 0), "header does not start with {", "", 8},
      {"header_is_an_array", WithData("[]", 0), "header does not start with {", "", 8},
      {"header_begins_with_space", WithData(" {}", 0), "header does not start with {", "", 8},
      {"header_begins_with_byte_order_mark", WithData("\xEF\xBB\xBF{}", 0),
       "header does not start with {", "", 8},
      {"brace_alone", WithData("{", 0), not_json, "", 8},
      {"no_closing_brace", WithData("{\"w\":" + kGoodEntry, 4), not_json, "", 8 + 51},
      {"two_documents", WithData("{}{}", 0), not_json, "", 10},
      {"text_after_the_header", WithData("{} x", 0), not_json, "", 11},
      {"zero_byte_after_the_header", WithData(std::string("{}\0{}", 5), 0), not_json, "", 10},
      {"padding_of_zero_bytes", WithData(std::string("{}\0\0\0\0\0\0", 8), 0), not_json, "", 10},
      {"zero_byte_in_a_name", WithData(std::string("{\"a\0b\":1}", 9), 0), not_json, "", 11},
      {"line_break_in_a_name", WithData("{\"a\nb\":1}", 0), not_json, "", 11},
      {"name_not_utf8", WithData("{\"a\xFF\":" + kGoodEntry + "}", 4), not_json, "", 11},
      {"name_of_overlong_utf8", WithData("{\"\xC0\xAF\":" + kGoodEntry + "}", 4), not_json, "", 10},
      {"name_of_half_a_surrogate", WithData("{\"\\ud800\":" + kGoodEntry + "}", 4), not_json, "",
       16},
      {"comment", WithData("{/*x*/}", 0), not_json, "", 9},
      {"trailing_comma", WithData("{\"w\":" + kGoodEntry + ",}", 4), not_json, "", 61},
      {"single_quotes", WithData("{'w':1}", 0), not_json, "", 9},
      {"nan", WithData("{\"w\":NaN}", 0), not_json, "w", 13},
      {"number_too_large_for_a_double", One("\"U8\"", "[1e999]", "[0,4]", 4), not_json, "w"},
      {"deep_nesting", WithData("{\"w\":" + std::string(20'000, '['), 0),
       "tensor entry is not an object", "w", 13},
      {"deep_nesting_of_objects", WithData(Repeated("{\"w\":", 20'000), 0),
       "unknown field of a tensor", "w", 8 + 8},
  };
}

std::vector<Row> EntryRows() {
  const std::string entry = "tensor entry is not an object";
  return {
      {"entry_is_null", WithData("{\"w\":null}", 0), entry, "w", 16},
      {"entry_is_true", WithData("{\"w\":true}", 0), entry, "w", 16},
      {"entry_is_a_string", WithData("{\"w\":\"U8\"}", 0), entry, "w", 16},
      {"entry_is_a_number", WithData("{\"w\":1}", 0), entry, "w", 14},
      {"entry_is_an_array", WithData("{\"w\":[]}", 0), entry, "w", 13},
      {"entry_is_empty", WithData("{\"w\":{}}", 0), "dtype is missing", "w", 14},
      {"no_dtype", WithData(R"({"w":{"shape":[4],"data_offsets":[0,4]}})", 4), "dtype is missing",
       "w", 46},
      {"no_shape", WithData(R"({"w":{"dtype":"U8","data_offsets":[0,4]}})", 4), "shape is missing",
       "w", 47},
      {"no_offsets", WithData(R"({"w":{"dtype":"U8","shape":[4]}})", 4), "data_offsets is missing",
       "w", 38},
      {"unknown_field", WithData(R"({"w":{"dtype":"U8","Shape":[4],"data_offsets":[0,4]}})", 4),
       "unknown field of a tensor", "w", 33},
      {"dtype_twice", WithData(R"({"w":{"dtype":"U8","dtype":"F32"}})", 4), "dtype occurs twice",
       "w", 33},
      {"offsets_twice", WithData(R"({"w":{"data_offsets":[0,4],"data_offsets":[0,4]}})", 4),
       "data_offsets occurs twice", "w", 48},
      {"name_twice", WithData("{\"w\":" + kGoodEntry + ",\"w\":" + kGoodEntry + "}", 4),
       "name occurs twice in the header", "w", 8 + 55},
      {"name_twice_once_escaped",
       WithData("{\"w\":" + kGoodEntry + ",\"\\u0077\":" + kGoodEntry + "}", 4),
       "name occurs twice in the header", "w", 8 + 60},
      {"metadata_twice", WithData(R"({"__metadata__":{},"__metadata__":{}})", 0),
       "name occurs twice in the header", "__metadata__", 8 + 32},
      {"metadata_key_twice", WithData(R"({"__metadata__":{"a":"b","a":"c"}})", 0),
       "key occurs twice in __metadata__", "", 8 + 27},
      {"metadata_of_numbers", WithData(R"({"__metadata__":{"a":1}})", 0),
       "__metadata__ is not a map of strings", "", 8 + 22},
      {"metadata_of_objects", WithData(R"({"__metadata__":{"a":{}}})", 0),
       "__metadata__ is not a map of strings", "", 8 + 21},
      {"metadata_of_null", WithData(R"({"__metadata__":{"a":null}})", 0),
       "__metadata__ is not a map of strings", "", 8 + 24},
      {"metadata_is_a_string", WithData(R"({"__metadata__":"pt"})", 0),
       "__metadata__ is not a map of strings", "", 8 + 19},
      {"metadata_is_an_array", WithData(R"({"__metadata__":[]})", 0),
       "__metadata__ is not a map of strings", "", 8 + 16},
  };
}

std::vector<Row> DtypeAndShapeRows() {
  const std::string dims_33 = "[" + Repeated("1,", 32) + "1]";
  const std::string shape = "shape is not an array of sizes";
  const std::string too_large = "shape is too large to address";
  const auto unsupported = ErrorKind::kUnsupported;
  return {
      {"unknown_dtype", One("\"F128\"", "[4]", "[0,4]", 4), "unknown dtype", "w", 27, unsupported},
      {"dtype_in_lower_case", One("\"u8\"", "[4]", "[0,4]", 4), "unknown dtype", "w", 25,
       unsupported},
      {"dtype_empty", One("\"\"", "[4]", "[0,4]", 4), "unknown dtype", "w", 23, unsupported},
      {"dtype_null", One("null", "[4]", "[0,4]", 4), "dtype is not a string", "w", 25},
      {"dtype_a_number", One("8", "[4]", "[0,4]", 4), "dtype is not a string", "w", 23},
      {"dtype_an_array", One("[\"U8\"]", "[4]", "[0,4]", 4), "dtype is not a string", "w", 22},
      {"shape_a_number", One("\"U8\"", "4", "[0,4]", 4), shape, "w", 36},
      {"shape_null", One("\"U8\"", "null", "[0,4]", 4), shape, "w", 38},
      {"shape_of_strings", One("\"U8\"", "[\"4\"]", "[0,4]", 4), shape, "w", 38},
      {"shape_of_arrays", One("\"U8\"", "[[4]]", "[0,4]", 4), shape, "w", 36},
      {"shape_negative", One("\"U8\"", "[-4]", "[0,4]", 4), shape, "w", 38},
      {"shape_minus_zero", One("\"U8\"", "[-0]", "[0,0]", 0), shape, "w", 38},
      {"shape_a_fraction", One("\"U8\"", "[4.0]", "[0,4]", 4), shape, "w", 39},
      {"shape_an_exponent", One("\"U8\"", "[4e0]", "[0,4]", 4), shape, "w", 39},
      {"shape_above_64_bits", One("\"U8\"", "[18446744073709551616]", "[0,4]", 4), shape, "w", 56},
      {"shape_of_33_dimensions", One("\"U8\"", dims_33, "[0,1]", 1),
       "shape has more than 32 dimensions", "w", 101},
      {"product_wraps_to_zero", One("\"F32\"", "[4294967296,4294967296]", "[0,0]", 0), too_large,
       "w"},
      {"product_wraps_to_the_right_size", One("\"U8\"", "[3,12297829382473034412]", "[0,4]", 4),
       too_large, "w"},
      {"bits_wrap_to_the_right_size", One("\"F32\"", "[4611686018427387905]", "[0,4]", 4),
       too_large, "w"},
      {"product_wraps_beside_a_zero", One("\"U8\"", "[4294967296,0,4294967296]", "[0,0]", 0),
       too_large, "w"},
      {"largest_dimension", One("\"U8\"", "[18446744073709551615]", "[0,4]", 4), too_large, "w"},
      {"shape_larger_than_data", One("\"U8\"", "[5]", "[0,4]", 4), "shape and data range disagree",
       "w"},
      {"shape_smaller_than_data", One("\"U8\"", "[3]", "[0,4]", 4), "shape and data range disagree",
       "w"},
      {"scalar_of_two", One("\"U8\"", "[]", "[0,2]", 2), "shape and data range disagree", "w"},
      {"dtype_wider_than_data", One("\"F16\"", "[4]", "[0,4]", 4), "shape and data range disagree",
       "w"},
      {"empty_shape_with_data", One("\"F32\"", "[0]", "[0,4]", 4), "shape and data range disagree",
       "w"},
      {"odd_number_of_f4", One("\"F4\"", "[3]", "[0,2]", 2),
       "packed elements do not fill whole bytes", "w"},
      {"two_elements_of_f6", One("\"F6_E2M3\"", "[2]", "[0,2]", 2),
       "packed elements do not fill whole bytes", "w"},
  };
}

std::vector<Row> RangeRows() {
  const std::string pair = "data_offsets is not a pair";
  const std::string past = "data ends past the end of the file";
  const auto two = [](const std::string& a, const std::string& b, size_t data_bytes) {
    return WithData(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
                        R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}",
                    data_bytes);
  };
  const uint64_t two_begin = 8 + two("[0,4]", "[0,4]", 0).size() - 8;
  return {
      {"offsets_a_number", One("\"U8\"", "[4]", "4", 4), pair, "w", 55},
      {"offsets_empty", One("\"U8\"", "[4]", "[]", 4), pair, "w", 55},
      {"offsets_of_one", One("\"U8\"", "[4]", "[0]", 4), pair, "w", 56},
      {"offsets_of_three", One("\"U8\"", "[4]", "[0,4,4]", 4), pair, "w", 60},
      {"offsets_negative", One("\"U8\"", "[4]", "[-4,0]", 4), pair, "w", 57},
      {"offsets_of_fractions", One("\"U8\"", "[4]", "[0.0,4]", 4), pair, "w", 58},
      {"offsets_of_strings", One("\"U8\"", "[4]", "[\"0\",\"4\"]", 4), pair, "w", 57},
      {"offsets_above_64_bits", One("\"U8\"", "[4]", "[0,18446744073709551616]", 4), pair, "w"},
      {"end_before_begin", One("\"U8\"", "[4]", "[4,0]", 4), "data range ends before it begins",
       "w"},
      {"end_past_the_file", One("\"U8\"", "[5]", "[0,5]", 4), past, "w"},
      {"end_far_past_the_file", One("\"U8\"", "[4]", "[0,18446744073709551615]", 4), past, "w"},
      {"range_past_the_file",
       One("\"U8\"", "[4]", "[18446744073709551611,18446744073709551615]", 4), past, "w",
       std::nullopt},
      {"file_cut_in_the_data", One("\"U8\"", "[4]", "[0,4]", 3), past, "w"},
      {"file_cut_before_the_data", One("\"U8\"", "[4]", "[0,4]", 0), past, "w"},
      {"bytes_after_the_last_tensor", One("\"U8\"", "[4]", "[0,4]", 5),
       "file is longer than its tensors"},
      {"data_without_tensors", WithData("{}", 1), "file is longer than its tensors", "", 10},
      {"hole_at_the_start", One("\"U8\"", "[3]", "[1,4]", 4), "data leaves a hole in the file",
       "w"},
      {"hole_between", two("[0,4]", "[5,9]", 9), "data leaves a hole in the file", "b",
       two_begin + 5},
      {"overlap", two("[0,4]", "[3,7]", 7), "data overlaps that of another tensor", "b",
       two_begin + 3},
      {"same_range_twice", two("[0,4]", "[0,4]", 4), "data overlaps that of another tensor", "b",
       two_begin},
      {"overlap_in_the_other_order", two("[2,6]", "[0,4]", 6),
       "data overlaps that of another tensor", "a", two_begin + 2},
      {"empty_tensor_inside_another",
       WithData(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                R"("b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
                4),
       "data overlaps that of another tensor", "b"},
      {"empty_tensor_past_the_file",
       WithData(R"({"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", 0), past, "b"},
  };
}

std::vector<Row> AllRows() {
  std::vector<Row> all;
  for (const auto& rows :
       {LengthRows(), JsonRows(), EntryRows(), DtypeAndShapeRows(), RangeRows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

class HostileSafetensors : public testing::TestWithParam<Row> {};

TEST_P(HostileSafetensors, IsRefusedWithItsReason) {
  const Row& row = GetParam();
  const ScratchFolder folder;
  const auto path = folder.Write("model.safetensors", row.file);
  const auto file = File::Open(path);
  ASSERT_TRUE(file);
  const auto table = ReadSafetensorsTable(**file);
  ASSERT_FALSE(table);
  const Error& error = table.error();
  EXPECT_EQ(error.problem, row.problem) << DescribeError(error);
  EXPECT_EQ(error.tensor, row.tensor) << DescribeError(error);
  EXPECT_EQ(error.file, path.string());
  EXPECT_EQ(error.kind, row.kind);
  if (row.byte_offset) {
    EXPECT_EQ(error.byte_offset, row.byte_offset) << DescribeError(error);
  }
}

INSTANTIATE_TEST_SUITE_P(All, HostileSafetensors, testing::ValuesIn(AllRows()),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace tensorguard::internal
