// GGUF files that lie: one row per way, with the error it must give.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "formats/gguf/gguf.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"

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

std::string Version(uint32_t version) { return BuildRawGguf(version, 0, 0, ""); }

// One tensor "w" and `data_bytes` of data.
std::string One(const std::vector<uint64_t>& dimensions, uint32_t type, uint64_t offset,
                size_t data_bytes) {
  std::string file = BuildRawGguf(3, 1, 0, GgufTensorInfo("w", dimensions, type, offset));
  file.resize((file.size() + 31) / 32 * 32 + data_bytes);
  return file;
}

std::string Two(uint64_t offset, const std::string& name, size_t data_bytes) {
  std::string file = BuildRawGguf(
      3, 2, 0, GgufTensorInfo("w", {16}, 0, 0) + GgufTensorInfo(name, {16}, 0, offset));
  file.resize((file.size() + 31) / 32 * 32 + data_bytes);
  return file;
}

std::string Pairs(uint64_t count, const std::string& pairs) {
  return BuildRawGguf(3, 0, count, pairs);
}

std::string Array(uint32_t type, uint64_t count, const std::string& rest = "") {
  return Pairs(1, GgufPair("k", 9, GgufBytes(type) + GgufBytes(count) + rest));
}

const std::string kUnreadVersion = "version of GGUF is not read";
const std::string kCut = "file ends inside its header";
const std::string kInKey = "metadata \"k\": ";

std::vector<Row> HeaderRows() {
  return {
      {"empty_file", "", kCut},
      {"magic_alone", "GGUF", kCut},
      {"six_bytes", "GGUF\x03\x02", kCut},
      {"other_magic", "GGML" + std::string(40, '\0'), "not a GGUF file"},
      {"git_lfs_pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
       "a Git LFS pointer, not the file itself"},
      {"version_0", Version(0), kUnreadVersion, "", ErrorKind::kUnsupported},
      {"version_1", Version(1), kUnreadVersion, "", ErrorKind::kUnsupported},
      {"version_4", Version(4), kUnreadVersion, "", ErrorKind::kUnsupported},
      {"big_endian", Version(0x03000000), "a big-endian GGUF file is not read", "",
       ErrorKind::kUnsupported},
      {"cut_counts", Version(3).substr(0, 20), kCut},
      {"more_tensors_than_the_file", BuildRawGguf(3, 2, 0, GgufTensorInfo("w", {1}, 0, 0)),
       "file cannot hold as many tensors as it says"},
      {"tensors_of_all_ones", BuildRawGguf(3, UINT64_MAX, 0, ""),
       "file cannot hold as many tensors as it says"},
      {"more_keys_than_the_file", BuildRawGguf(3, 0, 1, ""),
       "file cannot hold as many metadata keys as it says"},
      {"keys_of_all_ones", BuildRawGguf(3, 0, UINT64_MAX, ""),
       "file cannot hold as many metadata keys as it says"},
      {"more_keys_than_are_read", BuildRawGguf(3, 0, 65537, std::string(65537 * 13, '\0')),
       "file has more metadata keys than this program reads", "", ErrorKind::kUnsupported},
  };
}

std::vector<Row> MetadataRows() {
  const std::string number = GgufNumberPair("k", 1);
  return {
      {"key_longer_than_the_file", Pairs(1, GgufBytes<uint64_t>(1000) + std::string(20, 'k')),
       "text is longer than the file"},
      {"key_of_all_ones", Pairs(1, GgufBytes(UINT64_MAX) + std::string(20, 'k')),
       "text is longer than the file"},
      {"key_too_long", Pairs(1, GgufNumberPair(std::string(65536, 'k'), 1)), "text is too long"},
      {"key_empty", Pairs(1, GgufNumberPair("", 1)), "metadata has a key without a name"},
      {"key_not_utf8", Pairs(1, GgufNumberPair("a\xff", 1)),
       "metadata has a key that is not UTF-8"},
      {"key_twice", Pairs(2, number + number), kInKey + "key is there twice"},
      {"skipped_key_twice", Pairs(2, GgufTextsPair("k", {"a"}) + GgufTextsPair("k", {"a"})),
       kInKey + "key is there twice"},
      {"unknown_type", Pairs(1, GgufPair("k", 13, std::string(8, '\0'))),
       kInKey + "metadata has a value of unknown type"},
      {"flag_of_two", Pairs(1, GgufPair("k", 7, "\x02")),
       kInKey + "metadata has a flag that is neither 0 nor 1"},
      {"value_cut", Pairs(1, GgufPair("k", 10, "\x01")), kInKey + kCut},
      {"text_longer_than_the_file", Pairs(1, GgufPair("k", 8, GgufBytes<uint64_t>(1))),
       kInKey + "text is longer than the file"},
      {"array_longer_than_the_file", Array(4, 1), kInKey + "array is longer than the file"},
      {"array_product_wraps", Array(10, 1ull << 61, std::string(64, '\0')),
       kInKey + "array is longer than the file"},
      {"array_of_all_ones", Array(0, UINT64_MAX), kInKey + "array is longer than the file"},
      {"texts_longer_than_the_file", Array(8, 1), kInKey + "array is longer than the file"},
      {"text_in_array_longer_than_the_file", Array(8, 1, GgufBytes<uint64_t>(1)),
       kInKey + "text is longer than the file"},
      {"array_of_unknown_type", Array(13, 0), kInKey + "metadata has a value of unknown type"},
      {"array_of_arrays", Array(9, 1, std::string(12, '\0')),
       kInKey + "metadata has an array of arrays", "", ErrorKind::kUnsupported},
      {"array_of_wrong_flags", Array(7, 1, "\x03"),
       kInKey + "metadata has a flag that is neither 0 nor 1"},
      {"vocabulary_too_large",
       Pairs(1, GgufPair("tokenizer.ggml.tokens", 9,
                         GgufBytes<uint32_t>(8) + GgufBytes<uint64_t>((1 << 24) + 1))),
       "metadata \"tokenizer.ggml.tokens\": vocabulary is too large"},
      {"alignment_0", Pairs(1, GgufNumberPair("general.alignment", 0)),
       "alignment of the data is wrong"},
      {"alignment_48", Pairs(1, GgufNumberPair("general.alignment", 48)),
       "alignment of the data is wrong"},
      {"alignment_huge", Pairs(1, GgufNumberPair("general.alignment", 1u << 31)),
       "alignment of the data is wrong"},
      {"alignment_a_text", Pairs(1, GgufTextPair("general.alignment", "32")),
       "alignment of the data is wrong"},
  };
}

std::vector<Row> TensorRows() {
  const std::string too_large = "shape is too large to address";
  const std::string past_end = "data ends past the end of the file";
  return {
      {"name_longer_than_the_file",
       BuildRawGguf(3, 1, 0, GgufBytes<uint64_t>(1000) + std::string(40, 'w')),
       "text is longer than the file"},
      {"name_not_utf8", BuildRawGguf(3, 1, 0, GgufTensorInfo("w\xc0", {1}, 0, 0)),
       "tensor's name is not UTF-8", "w\xc0"},
      {"description_cut", BuildRawGguf(3, 1, 0, GgufTensorInfo("w", {1, 1}, 0, 0)).substr(0, 50),
       kCut, "w"},
      {"five_dimensions", One({1, 1, 1, 1, 1}, 0, 0, 4), "tensor has too many dimensions", "w"},
      {"dimension_zero", One({4, 0}, 0, 0, 4), "dimension is zero", "w"},
      {"product_wraps", One({1ull << 32, 1ull << 32}, 0, 0, 4), too_large, "w"},
      {"size_wraps", One({1ull << 62}, 0, 0, 4), too_large, "w"},
      {"size_of_blocks_wraps", One({1ull << 32, (1ull << 32) - 32}, 8, 0, 34), too_large, "w"},
      {"type_withdrawn", One({32}, 31, 0, 18), "tensor type is not read", "w",
       ErrorKind::kUnsupported},
      {"type_unknown", One({32}, 43, 0, 18), "tensor type is not read", "w",
       ErrorKind::kUnsupported},
      {"rows_of_half_a_block", One({48, 2}, 8, 0, 102), "rows are not whole blocks", "w"},
      {"scalar_of_a_block_type", One({}, 8, 0, 34), "rows are not whole blocks", "w"},
      {"offset_not_aligned", One({1}, 0, 4, 8), "data is not aligned", "w"},
      {"offset_past_the_end", One({1}, 0, 64, 32), past_end, "w"},
      {"end_past_the_end", One({9}, 0, 0, 32), past_end, "w"},
      {"offset_and_size_wrap", One({16}, 0, UINT64_MAX - 31, 64), past_end, "w"},
      {"no_data", One({1}, 0, 0, 0), past_end, "w"},
      {"overlap", Two(32, "v", 96), "data overlaps that of another tensor", "v"},
      {"same_data_twice", Two(0, "v", 64), "data overlaps that of another tensor"},
      {"name_twice", Two(64, "w", 128), "tensor is there twice", "w"},
  };
}

class GgufHostile : public testing::TestWithParam<Row> {};

TEST_P(GgufHostile, IsRefusedWithTheReason) {
  const Row& row = GetParam();
  const ScratchFolder folder;
  const auto file = File::Open(folder.Write("m.gguf", row.file));
  ASSERT_TRUE(file);
  const auto header = ReadGgufHeader(**file);
  ASSERT_FALSE(header);
  const Error& error = header.error();
  EXPECT_EQ(error.problem, row.problem) << DescribeError(error);
  EXPECT_EQ(error.kind, row.kind);
  EXPECT_EQ(error.file, (*file)->path());
  if (!row.tensor.empty()) {
    EXPECT_EQ(error.tensor, row.tensor);
  }
}

std::string NameOf(const testing::TestParamInfo<Row>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Header, GgufHostile, testing::ValuesIn(HeaderRows()), NameOf);
INSTANTIATE_TEST_SUITE_P(Metadata, GgufHostile, testing::ValuesIn(MetadataRows()), NameOf);
INSTANTIATE_TEST_SUITE_P(Tensors, GgufHostile, testing::ValuesIn(TensorRows()), NameOf);

// Every file that is cut short is refused, or smaller by padding alone.
TEST(GgufHostile, CutAnywhere) {
  const std::string whole = BuildGguf({GgufTextPair("general.architecture", "llama"),
                                       GgufTextsPair("tokenizer.ggml.tokens", {"a"})},
                                      {GgufF32Tensor("w", {8}, {1, 2, 3, 4, 5, 6, 7, 8})});
  ASSERT_TRUE(ParseGgufHeader(whole, whole.size()));
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(ParseGgufHeader(whole.substr(0, length), length)) << length;
  }
}

TEST(GgufHostile, HeaderAboveTheLimit) {
  // A text that would fill the file, which exists only as a length.
  const std::string start = Pairs(1, GgufPair("k", 8, GgufBytes<uint64_t>(300ull << 20)));
  const auto header = ParseGgufHeader(start, 1ull << 40);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().problem, kInKey + "header is longer than this program reads");
  EXPECT_EQ(header.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace tensorguard::internal
