#include "safetensors/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "base/checked.h"
#include "base/json.h"
#include "base/try.h"
#include "safetensors/safetensors_header.h"

namespace tensorguard::internal {
namespace {

// Shape, dtype and data range of one entry must say the same. `data_bytes` is the data section's
// size.
Result<void> CheckRange(TensorEntry& entry, uint64_t data_bytes) {
  const std::string range =
      fmt::format("data_offsets [{}, {}]", entry.data_begin_bytes, entry.data_end_bytes);
  if (entry.data_begin_bytes > entry.data_end_bytes) {
    return Error{.problem = "data range ends before it begins", .found = range};
  }
  if (entry.data_end_bytes > data_bytes) {
    return Error{.problem = "data ends past the end of the file",
                 .found = range,
                 .expected = fmt::format("an end of at most {}", data_bytes),
                 .advice = "fetch the file again; the download was probably cut short"};
  }
  const auto elements = ElementCount(entry.shape);
  const auto bits = elements ? CheckedMultiply(*elements, InfoOf(entry.dtype).bits) : std::nullopt;
  if (!bits) {
    return Error{.problem = "shape is too large to address",
                 .found = fmt::format("shape [{}]", fmt::join(entry.shape, ", "))};
  }
  if (*bits % 8 != 0) {
    return Error{
        .problem = "packed elements do not fill whole bytes",
        .found = fmt::format("{} elements of {} bits", *elements, InfoOf(entry.dtype).bits)};
  }
  if (*bits / 8 != entry.data_end_bytes - entry.data_begin_bytes) {
    return Error{.problem = "shape and data range disagree",
                 .found = fmt::format("{} of {} bytes", range,
                                      entry.data_end_bytes - entry.data_begin_bytes),
                 .expected = fmt::format("{} bytes for {} [{}]", *bits / 8,
                                         InfoOf(entry.dtype).name, fmt::join(entry.shape, ", "))};
  }
  entry.element_count = *elements;
  return {};
}

// Ranges, in the order of their offsets, must fill the data section without hole or overlap.
Result<void> CheckLayout(std::span<const TensorEntry> tensors, uint64_t data_begin_bytes,
                         uint64_t data_bytes) {
  std::vector<const TensorEntry*> by_offset;
  for (const TensorEntry& entry : tensors) by_offset.push_back(&entry);
  std::sort(by_offset.begin(), by_offset.end(), [](const TensorEntry* a, const TensorEntry* b) {
    return std::pair(a->data_begin_bytes, a->data_end_bytes) <
           std::pair(b->data_begin_bytes, b->data_end_bytes);
  });
  uint64_t filled = 0;
  for (const TensorEntry* entry : by_offset) {
    if (entry->data_begin_bytes != filled) {
      return Error{.problem = entry->data_begin_bytes < filled
                                  ? "data overlaps that of another tensor"
                                  : "data leaves a hole in the file",
                   .tensor = entry->name,
                   .byte_offset = data_begin_bytes + entry->data_begin_bytes,
                   .found = fmt::format("a begin of {}", entry->data_begin_bytes),
                   .expected = fmt::format("a begin of {}", filled)};
    }
    filled = entry->data_end_bytes;
  }
  if (filled == data_bytes) return {};
  return Error{.problem = "file is longer than its tensors",
               .byte_offset = data_begin_bytes + filled,
               .found = fmt::format("{} bytes of data", data_bytes),
               .expected = fmt::format("{} bytes", filled)};
}

Error NotSafetensors(std::string problem, std::string found, std::string expected) {
  return {.problem = std::move(problem),
          .byte_offset = 0,
          .found = std::move(found),
          .expected = std::move(expected)};
}

// A pointer file is text of about 130 bytes; read as a header length it would be nonsense.
std::optional<Error> LfsPointerIn(const File& file) {
  std::string start(std::min<uint64_t>(file.size_bytes(), 64), '\0');
  if (!file.ReadAt(0, std::as_writable_bytes(std::span(start)))) return {};
  if (!IsGitLfsPointer(start)) return {};
  return GitLfsPointerError(file.path());
}

}  // namespace

Result<TensorTable> ParseSafetensorsHeader(std::string_view header, uint64_t file_size_bytes) {
  const uint64_t data_begin_bytes = kLengthFieldBytes + header.size();
  if (file_size_bytes < data_begin_bytes) {
    return NotSafetensors("header ends past the end of the file",
                          fmt::format("a header of {} bytes", header.size()),
                          fmt::format("a file of at least {} bytes", data_begin_bytes));
  }
  auto entries = ReadSafetensorsEntries(header);
  if (!entries) return entries;
  TensorTable table = *std::move(entries);
  const uint64_t data_bytes = file_size_bytes - data_begin_bytes;
  std::sort(table.tensors.begin(), table.tensors.end(),
            [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
  for (TensorEntry& entry : table.tensors) {
    auto checked = CheckRange(entry, data_bytes);
    if (!checked) {
      Error error = std::move(checked).error().InTensor(entry.name);
      error.byte_offset = CheckedAdd(data_begin_bytes, entry.data_begin_bytes);
      return error;
    }
  }
  TG_TRY(CheckLayout(table.tensors, data_begin_bytes, data_bytes));
  for (TensorEntry& entry : table.tensors) {
    entry.data_begin_bytes += data_begin_bytes;
    entry.data_end_bytes += data_begin_bytes;
  }
  return table;
}

Result<TensorTable> ReadSafetensorsTable(const File& file) {
  const auto in_file = [&](Error error) { return std::move(error).InFile(file.path()); };
  if (file.size_bytes() < kLengthFieldBytes) {
    return in_file(NotSafetensors("file is too short for a safetensors header",
                                  fmt::format("{} bytes", file.size_bytes()), "at least 8 bytes"));
  }
  std::byte length_field[kLengthFieldBytes];
  auto read = file.ReadAt(0, length_field);
  if (!read) return in_file(std::move(read).error());
  if (auto pointer = LfsPointerIn(file)) return *std::move(pointer);
  uint64_t header_bytes = 0;
  for (unsigned i = 0; i < kLengthFieldBytes; ++i) {
    header_bytes |= static_cast<uint64_t>(length_field[i]) << (8 * i);
  }
  if (header_bytes > kSafetensorsHeaderLimitBytes) {
    // Without the number, which is the file's first bytes, whatever they are.
    return in_file(NotSafetensors(
        "not a safetensors file, or its header length is wrong", "",
        fmt::format("a header length of at most {} bytes", kSafetensorsHeaderLimitBytes)));
  }
  if (header_bytes > file.size_bytes() - kLengthFieldBytes) {
    Error error = NotSafetensors("header ends past the end of the file",
                                 fmt::format("a header of {} bytes", header_bytes),
                                 fmt::format("at most {}", file.size_bytes() - kLengthFieldBytes));
    error.advice = "fetch the file again; the download was probably cut short";
    return in_file(std::move(error));
  }
  std::string header(header_bytes, '\0');
  read = file.ReadAt(kLengthFieldBytes, std::as_writable_bytes(std::span(header)));
  if (!read) return in_file(std::move(read).error());
  auto table = ParseSafetensorsHeader(header, file.size_bytes());
  if (!table) return in_file(std::move(table).error());
  return table;
}

}  // namespace tensorguard::internal
