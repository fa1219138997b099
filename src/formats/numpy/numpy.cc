#include "formats/numpy/numpy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "formats/archives/deflated_data.h"
#include "formats/archives/zip.h"
#include "formats/byte_cursor.h"
#include "formats/numpy/numpy_header.h"
#include "safetensors/tensor_layout.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kEntrySuffix = ".npy";
constexpr std::string_view kLoneName = "tensor";
constexpr uint64_t kHeaderLimitBytes = 1 << 20;

struct NamedType {
  std::string_view descr;  // without the byte order
  DType dtype;
};

constexpr std::array kTypes = std::to_array<NamedType>({
    {"f2", DType::kF16},
    {"f4", DType::kF32},
    {"f8", DType::kF64},
    {"b1", DType::kBool},
    {"i1", DType::kI8},
    {"i2", DType::kI16},
    {"i4", DType::kI32},
    {"i8", DType::kI64},
    {"u1", DType::kU8},
    {"u2", DType::kU16},
    {"u4", DType::kU32},
    {"u8", DType::kU64},
    {"c8", DType::kC64},
});

bool IsText(std::string_view descr) {
  return descr.size() > 1 && (descr[1] == 'U' || descr[1] == 'S' || descr[1] == 'a');
}

Result<DType> TypeOf(std::string_view descr) {
  Error error = {.kind = ErrorKind::kUnsupported,
                 .problem = "array's type is not read",
                 .found = std::string(descr)};
  if (descr.size() < 2) return error;
  const std::string_view type = descr.substr(1);
  const auto known = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const NamedType& row) { return row.descr == type; });
  if (type == "O") {
    error.problem = "array holds Python objects as a pickle, which is not read";
  } else if (type.starts_with('V')) {
    error.problem = "array's elements have no meaning to NumPy, and none that is known";
    error.advice = "if they are bfloat16, save them as float32";
  } else if (known != kTypes.end() && descr[0] == '>' && !type.ends_with('1')) {
    error.problem = "array of big-endian numbers is not read";
    error.advice = "save it once as array.astype(array.dtype.newbyteorder('<'))";
  } else if (known != kTypes.end() && std::string_view("<|=>").find(descr[0]) != descr.npos) {
    return known->dtype;
  }
  return error;
}

// The text of the header. What follows is the data.
Result<std::string> HeaderText(ByteCursor& cursor) {
  TG_ASSIGN(const auto magic, cursor.Take(kNumpyMagic.size()));
  if (magic != kNumpyMagic) return Error{.problem = "not an array of NumPy"};
  const auto version = cursor.Number<uint8_t>();
  if (!version) return version.error();
  TG_ASSIGN(const auto minor, cursor.Number<uint8_t>());
  if (*version == 0 || *version > 3 || minor != 0) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "version of NumPy's format is not read",
                 .found = fmt::format("{}.{}", *version, minor),
                 .expected = "1.0, 2.0 or 3.0"};
  }
  uint64_t length = 0;
  if (*version == 1) {
    TG_ASSIGN(const auto field, cursor.Number<uint16_t>());
    length = field;
  } else {
    TG_ASSIGN(const auto field, cursor.Number<uint32_t>());
    length = field;
  }
  TG_ASSIGN(const auto text, cursor.Take(length));
  return std::string(text);
}

// The array in bytes [begin_bytes, source.size_bytes). Empty: of text.
Result<std::optional<TensorEntry>> ReadArray(const ByteSource& source, uint64_t begin_bytes) {
  ByteCursor cursor(source, begin_bytes, kHeaderLimitBytes);
  TG_ASSIGN(const auto text, HeaderText(cursor));
  TG_ASSIGN(auto header, ParseNumpyHeader(text));
  if (IsText(header.descr)) return std::optional<TensorEntry>();
  TG_ASSIGN(const auto dtype, TypeOf(header.descr));
  TensorEntry entry = {.name = {}, .dtype = dtype, .shape = std::move(header.shape)};
  const StorageRange data = {cursor.position_bytes(), source.size_bytes};
  auto placed = PlaceTensor(entry, data, 0);
  if (placed && header.column_major) {
    entry.strides = ColumnMajorStrides(entry.shape);
    placed = PlaceTensor(entry, data, 0);
  }
  if (!placed) return std::move(placed).error();
  if (entry.data_end_bytes != data.end_bytes) {
    return Error{.problem = "array is followed by bytes that are not its own",
                 .byte_offset = entry.data_end_bytes,
                 .found = fmt::format("{} bytes", data.end_bytes - entry.data_end_bytes)};
  }
  return std::optional(std::move(entry));
}

// An array of savez_compressed. No stream unpacks to more than 1032 times its length.
Result<std::optional<TensorEntry>> ReadPackedArray(const ByteSource& source,
                                                   const ZipEntry& entry) {
  constexpr uint64_t kMostTimes = 1032;
  if (entry.size_bytes / kMostTimes > entry.end_bytes - entry.begin_bytes) {
    return Error{.problem = "packed data cannot hold as much as it says",
                 .found = fmt::format("{} bytes in {}", entry.size_bytes,
                                      entry.end_bytes - entry.begin_bytes)};
  }
  const DeflatedData packed(entry.begin_bytes, entry.end_bytes, entry.size_bytes);
  const ByteSource unpacked = {
      .read = [&](uint64_t offset_bytes,
                  std::span<std::byte> out) { return packed.ReadAt(source, offset_bytes, out); },
      .size_bytes = entry.size_bytes};
  auto array = ReadArray(unpacked, 0);
  if (!array || !*array) return array;
  if (!(*array)->strides.empty()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "packed array in column-major order is not read",
                 .advice = "save the arrays with numpy.savez"};
  }
  (*array)->packed = PackedRange{entry.begin_bytes, entry.end_bytes, entry.size_bytes};
  return array;
}

Result<void> AddEntry(const ByteSource& source, const ZipEntry& entry, TensorTable& table) {
  const std::string name = entry.name.substr(0, entry.name.size() - kEntrySuffix.size());
  if (!entry.name.ends_with(kEntrySuffix) || name.empty()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "archive of arrays holds something else",
                 .byte_offset = entry.begin_bytes,
                 .found = entry.name,
                 .expected = "entries named NAME.npy"};
  }
  // Python reads such a name as of another alphabet.
  const auto beyond_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (!entry.names_utf8 && std::any_of(name.begin(), name.end(), beyond_ascii)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "archive does not say in which alphabet an array's name is",
                 .byte_offset = entry.begin_bytes,
                 .found = entry.name};
  }
  auto array = entry.deflated ? ReadPackedArray(source, entry)
                              : ReadArray({.read = source.read, .size_bytes = entry.end_bytes},
                                          entry.begin_bytes);
  if (!array) {
    Error error = std::move(array).error().InTensor(name);
    if (!error.byte_offset) error.byte_offset = entry.begin_bytes;
    return error;
  }
  if (!*array) return {};
  (*array)->name = name;
  table.tensors.push_back(**std::move(array));
  return {};
}

Result<TensorTable> ReadArchive(const ByteSource& source) {
  TG_ASSIGN(const auto directory, ReadZipDirectory(source));
  TensorTable table;
  for (const ZipEntry& entry : directory.entries) {
    TG_TRY(AddEntry(source, entry, table));
  }
  std::sort(table.tensors.begin(), table.tensors.end(),
            [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
  return table;
}

}  // namespace

Result<TensorTable> ReadNumpyTable(const ByteSource& source) {
  TG_ASSIGN(const auto start, ReadBytes(source, 0, std::min<uint64_t>(source.size_bytes, 16)));
  if (start.starts_with(kZipMagic)) return ReadArchive(source);
  if (!start.starts_with(kNumpyMagic)) {
    return Error{.problem = "not a NumPy file",
                 .byte_offset = 0,
                 .expected = "a zip archive, or an array that starts with \\x93NUMPY"};
  }
  TG_ASSIGN(auto array, ReadArray(source, 0));
  TensorTable table;
  if (!array) return table;
  array->name = kLoneName;
  table.tensors.push_back(*std::move(array));
  return table;
}

Result<TensorTable> ReadNumpyTable(const File& file) {
  auto table = ReadNumpyTable(SourceOf(file));
  if (!table) return std::move(table).error().InFile(file.path());
  return table;
}

}  // namespace tensorguard::internal
