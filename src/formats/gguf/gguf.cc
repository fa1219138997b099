#include "formats/gguf/gguf.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>
#include <vector>

#include "base/checked.h"
#include "base/json.h"
#include "base/text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kDefaultAlignmentBytes = 32;
constexpr uint64_t kHighestAlignmentBytes = 1 << 20;
constexpr uint32_t kMostDimensions = 4;
// Least bytes of a key with its value, and of a tensor's description: bounds on their counts.
constexpr uint64_t kLeastPairBytes = 8 + 4 + 1;
constexpr uint64_t kLeastTensorBytes = 8 + 4 + 4 + 8;

struct NumberedType {
  uint32_t number;  // as the format counts them
  DType dtype;
};

constexpr std::array kTypes = std::to_array<NumberedType>({
    {0, DType::kF32},    {1, DType::kF16},     {2, DType::kQ4_0},   {3, DType::kQ4_1},
    {6, DType::kQ5_0},   {7, DType::kQ5_1},    {8, DType::kQ8_0},   {10, DType::kQ2K},
    {11, DType::kQ3K},   {12, DType::kQ4K},    {13, DType::kQ5K},   {14, DType::kQ6K},
    {15, DType::kQ8K},   {16, DType::kIq2Xxs}, {17, DType::kIq2Xs}, {18, DType::kIq3Xxs},
    {19, DType::kIq1S},  {20, DType::kIq4Nl},  {21, DType::kIq3S},  {22, DType::kIq2S},
    {23, DType::kIq4Xs}, {24, DType::kI8},     {25, DType::kI16},   {26, DType::kI32},
    {27, DType::kI64},   {28, DType::kF64},    {29, DType::kIq1M},  {30, DType::kBF16},
    {34, DType::kTq1_0}, {35, DType::kTq2_0},  {39, DType::kMxfp4}, {40, DType::kNvfp4},
    {41, DType::kQ1_0},  {42, DType::kQ2_0},
});

struct NamedNumber {
  uint32_t number;
  std::string_view name;
};

// Withdrawn from the format, or never stored in a file.
constexpr std::array kTypesNotRead = std::to_array<NamedNumber>({
    {4, "Q4_2"},
    {5, "Q4_3"},
    {9, "Q8_1"},
    {31, "Q4_0_4_4"},
    {32, "Q4_0_4_8"},
    {33, "Q4_0_8_8"},
    {36, "IQ4_NL_4_4"},
    {37, "IQ4_NL_4_8"},
    {38, "IQ4_NL_8_8"},
});

Result<DType> TypeOf(uint32_t number) {
  for (const NumberedType& type : kTypes) {
    if (type.number == number) return type.dtype;
  }
  std::string found = fmt::format("type {}", number);
  for (const NamedNumber& type : kTypesNotRead) {
    if (type.number == number) found = fmt::format("type {} ({})", number, type.name);
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "tensor type is not read",
               .found = std::move(found)};
}

Result<uint32_t> ReadVersion(GgufCursor& cursor) {
  std::array<char, 4> magic = {};
  for (char& letter : magic) {
    TG_ASSIGN(auto byte, cursor.Number<char>());
    letter = byte;
  }
  if (std::string_view(magic.data(), magic.size()) != kGgufMagic) {
    return Error{
        .problem = "not a GGUF file", .byte_offset = 0, .expected = "a file that starts with GGUF"};
  }
  auto version = cursor.Number<uint32_t>();
  if (!version || *version == 2 || *version == 3) return version;
  const bool big_endian = *version != 0 && (*version & 0xFFFF) == 0;
  return Error{
      .kind = ErrorKind::kUnsupported,
      .problem = big_endian ? "a big-endian GGUF file is not read" : "version of GGUF is not read",
      .byte_offset = 4,
      .found = big_endian ? fmt::format("version {:#x}, its bytes swapped", *version)
                          : fmt::format("version {}", *version),
      .expected = "version 2 or 3, little-endian",
      .advice = "convert the model with a current llama.cpp"};
}

Result<uint64_t> ReadCount(GgufCursor& cursor, std::string_view of_what, uint64_t least_bytes,
                           uint64_t most) {
  const uint64_t begin = cursor.position_bytes();
  auto count = cursor.Number<uint64_t>();
  if (!count) return count;
  if (*count <= cursor.remaining_bytes() / least_bytes) {
    if (*count <= most) return count;
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = fmt::format("file has more {} than this program reads", of_what),
                 .byte_offset = begin,
                 .found = fmt::format("{}", *count),
                 .expected = fmt::format("at most {}", most)};
  }
  return Error{
      .problem = fmt::format("file cannot hold as many {} as it says", of_what),
      .byte_offset = begin,
      .found = fmt::format("{}", *count),
      .expected = fmt::format("at most {} in {} bytes", cursor.remaining_bytes() / least_bytes,
                              cursor.remaining_bytes())};
}

Result<uint64_t> AlignmentOf(const GgufMetadata& metadata) {
  constexpr std::string_view kKey = "general.alignment";
  if (!metadata.values().contains(kKey)) return kDefaultAlignmentBytes;
  const auto alignment = metadata.Number(kKey);
  if (alignment && std::has_single_bit(*alignment) && *alignment <= kHighestAlignmentBytes) {
    return *alignment;
  }
  return Error{.problem = "alignment of the data is wrong",
               .found = alignment ? fmt::format("{}", *alignment) : "no whole number",
               .expected = fmt::format("a power of two up to {}", kHighestAlignmentBytes)};
}

// The dimensions, turned round.
Result<std::vector<uint64_t>> ReadShape(GgufCursor& cursor) {
  auto dimensions = cursor.Number<uint32_t>();
  if (!dimensions) return std::move(dimensions).error();
  if (*dimensions > kMostDimensions) {
    return Error{.problem = "tensor has too many dimensions",
                 .found = fmt::format("{}", *dimensions),
                 .expected = fmt::format("at most {}", kMostDimensions)};
  }
  std::vector<uint64_t> shape(*dimensions);
  for (auto dimension = shape.rbegin(); dimension != shape.rend(); ++dimension) {
    TG_ASSIGN(auto read, cursor.Number<uint64_t>());
    if (read == 0) return Error{.problem = "dimension is zero"};
    *dimension = read;
  }
  return shape;
}

// Bytes of all elements. Rows of block types are whole blocks.
Result<uint64_t> DataBytes(const TensorEntry& entry) {
  const DTypeInfo& info = InfoOf(entry.dtype);
  const uint64_t row_elements = entry.shape.empty() ? 1 : entry.shape.back();
  if (!IsBlockType(entry.dtype)) {
    const auto bytes = CheckedMultiply(entry.element_count, info.bits / 8);
    if (bytes) return *bytes;
  } else if (row_elements % info.block_elements != 0) {
    return Error{.problem = "rows are not whole blocks",
                 .found = fmt::format("{} elements in a row of {}", row_elements, info.name),
                 .expected = fmt::format("a multiple of {}", info.block_elements)};
  } else if (const auto bytes =
                 CheckedMultiply(entry.element_count / info.block_elements, info.block_bytes)) {
    return *bytes;
  }
  return Error{.problem = "shape is too large to address",
               .found = fmt::format("shape [{}]", fmt::join(entry.shape, ", "))};
}

// What follows a tensor's name. Its range still counts from the start of the data.
Result<TensorEntry> ReadTensor(GgufCursor& cursor, uint64_t alignment_bytes) {
  TensorEntry entry;
  auto shape = ReadShape(cursor);
  if (!shape) return std::move(shape).error();
  entry.shape = *std::move(shape);
  TG_ASSIGN(const auto type, cursor.Number<uint32_t>());
  TG_ASSIGN(auto dtype, TypeOf(type));
  entry.dtype = dtype;
  auto offset = cursor.Number<uint64_t>();
  if (!offset) return std::move(offset).error();
  if (*offset % alignment_bytes != 0) {
    return Error{.problem = "data is not aligned",
                 .found = fmt::format("an offset of {}", *offset),
                 .expected = fmt::format("a multiple of {}", alignment_bytes)};
  }
  const auto elements = ElementCount(entry.shape);
  if (!elements) {
    return Error{.problem = "shape is too large to address",
                 .found = fmt::format("shape [{}]", fmt::join(entry.shape, ", "))};
  }
  entry.element_count = *elements;
  const auto bytes = DataBytes(entry);
  if (!bytes) return bytes.error();
  const auto end = CheckedAdd(*offset, *bytes);
  if (!end) {
    return Error{.problem = "data ends past the end of the file",
                 .found = fmt::format("{} bytes from {} on", *bytes, *offset)};
  }
  entry.data_begin_bytes = *offset;
  entry.data_end_bytes = *end;
  return entry;
}

Result<std::vector<TensorEntry>> ReadTensors(GgufCursor& cursor, uint64_t count,
                                             uint64_t alignment_bytes) {
  std::vector<TensorEntry> tensors;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t begin = cursor.position_bytes();
    auto name = cursor.Text(kGgufLongestNameBytes);
    if (!name) return std::move(name).error();
    if (!IsUtf8(*name)) {
      return Error{.problem = "tensor's name is not UTF-8", .tensor = *name, .byte_offset = begin};
    }
    auto entry = ReadTensor(cursor, alignment_bytes);
    if (!entry) {
      Error error = std::move(entry).error().InTensor(*name);
      if (!error.byte_offset) error.byte_offset = begin;
      return error;
    }
    entry->name = *std::move(name);
    tensors.push_back(*std::move(entry));
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
  const auto twin = std::adjacent_find(
      tensors.begin(), tensors.end(),
      [](const TensorEntry& a, const TensorEntry& b) { return a.name == b.name; });
  if (twin == tensors.end()) return tensors;
  return Error{.problem = "tensor is there twice", .tensor = twin->name};
}

// Ranges must be inside the data section and apart from each other.
Result<void> CheckLayout(std::span<const TensorEntry> tensors, uint64_t data_begin_bytes,
                         uint64_t data_bytes) {
  std::vector<const TensorEntry*> by_offset;
  for (const TensorEntry& entry : tensors) by_offset.push_back(&entry);
  std::sort(by_offset.begin(), by_offset.end(), [](const TensorEntry* a, const TensorEntry* b) {
    return a->data_begin_bytes < b->data_begin_bytes;
  });
  uint64_t filled = 0;
  for (const TensorEntry* entry : by_offset) {
    const auto wrong = [&](std::string problem, std::string expected, std::string advice) {
      return Error{.problem = std::move(problem),
                   .tensor = entry->name,
                   .byte_offset = CheckedAdd(data_begin_bytes, entry->data_begin_bytes),
                   .found = fmt::format("bytes {} to {} of the data", entry->data_begin_bytes,
                                        entry->data_end_bytes),
                   .expected = std::move(expected),
                   .advice = std::move(advice)};
    };
    if (entry->data_end_bytes > data_bytes) {
      return wrong("data ends past the end of the file",
                   fmt::format("an end of at most {}", data_bytes),
                   "fetch the file again; the download was probably cut short");
    }
    if (entry->data_begin_bytes < filled) {
      return wrong("data overlaps that of another tensor",
                   fmt::format("a begin of at least {}", filled), "");
    }
    filled = entry->data_end_bytes;
  }
  return {};
}

Result<GgufHeader> ReadHeader(GgufCursor& cursor, uint64_t file_size_bytes) {
  GgufHeader header;
  TG_ASSIGN(const auto version, ReadVersion(cursor));
  header.version = version;
  TG_ASSIGN(const auto tensor_count,
            ReadCount(cursor, "tensors", kLeastTensorBytes, kGgufMostTensors));
  TG_ASSIGN(const auto pair_count,
            ReadCount(cursor, "metadata keys", kLeastPairBytes, kGgufMostKeys));
  TG_ASSIGN(auto metadata, GgufMetadata::Read(cursor, pair_count));
  header.metadata = std::move(metadata);
  TG_ASSIGN(const auto alignment, AlignmentOf(header.metadata));
  TG_ASSIGN(auto tensors, ReadTensors(cursor, tensor_count, alignment));
  header.table.tensors = std::move(tensors);

  // A file without tensors need not be padded.
  const uint64_t header_end = cursor.position_bytes();
  const uint64_t data_begin = (header_end + alignment - 1) / alignment * alignment;
  const uint64_t data_bytes = file_size_bytes > data_begin ? file_size_bytes - data_begin : 0;
  TG_TRY(CheckLayout(header.table.tensors, data_begin, data_bytes));
  for (TensorEntry& entry : header.table.tensors) {
    entry.data_begin_bytes += data_begin;
    entry.data_end_bytes += data_begin;
  }
  return header;
}

}  // namespace

Result<GgufHeader> ParseGgufHeader(std::string_view start, uint64_t file_size_bytes) {
  GgufCursor cursor(
      [&](uint64_t offset_bytes, std::span<std::byte> out) -> Result<void> {
        const auto there = std::as_bytes(std::span(start));
        const uint64_t begin = std::min<uint64_t>(offset_bytes, there.size());
        const auto copied = there.subspan(begin, std::min(out.size(), there.size() - begin));
        std::fill(std::copy(copied.begin(), copied.end(), out.begin()), out.end(), std::byte{0});
        return {};
      },
      file_size_bytes);
  return ReadHeader(cursor, file_size_bytes);
}

Result<GgufHeader> ReadGgufHeader(const File& file) {
  std::string start(std::min<uint64_t>(file.size_bytes(), 64), '\0');
  auto read = file.ReadAt(0, std::as_writable_bytes(std::span(start)));
  if (!read) return std::move(read).error().InFile(file.path());
  if (IsGitLfsPointer(start)) return GitLfsPointerError(file.path());
  GgufCursor cursor([&](uint64_t offset_bytes,
                        std::span<std::byte> out) { return file.ReadAt(offset_bytes, out); },
                    file.size_bytes());
  auto header = ReadHeader(cursor, file.size_bytes());
  if (!header) return std::move(header).error().InFile(file.path());
  return header;
}

Result<bool> IsGgufFile(const File& file) {
  if (file.path().ends_with(kGgufSuffix)) return true;
  std::string start(std::min<uint64_t>(file.size_bytes(), kGgufMagic.size()), '\0');
  TG_TRY(file.ReadAt(0, std::as_writable_bytes(std::span(start))));
  return start == kGgufMagic;
}

}  // namespace tensorguard::internal
