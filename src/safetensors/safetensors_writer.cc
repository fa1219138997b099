#include "safetensors/safetensors_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <string_view>

#include "base/checked.h"
#include "base/json.h"
#include "base/try.h"
#include "safetensors/safetensors.h"
#include "safetensors/safetensors_header.h"

namespace tensorguard::internal {
namespace {

// Readers that map the file like its data aligned to the widest element.
constexpr size_t kAlignmentBytes = 8;

// `text` in quotes. Bytes that are not UTF-8 stay as they are, for the reader's check to find.
std::string Quoted(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    return '"' + text + '"';
  }
}

struct Header {
  std::string json;
  uint64_t data_bytes = 0;
};

Result<Header> HeaderOf(const std::vector<TensorToWrite>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  Header header;
  std::string_view separator = "{";
  if (!metadata.empty()) {
    header.json += "{\"__metadata__\":";
    for (const auto& [key, value] : metadata) {
      header.json += fmt::format("{}{}:{}", separator, Quoted(key), Quoted(value));
      separator = ",";
    }
    header.json += "}";
  }
  for (const TensorToWrite& tensor : tensors) {
    const auto bytes = StoredBytes(tensor);
    const auto end = bytes ? CheckedAdd(header.data_bytes, *bytes) : std::nullopt;
    if (!end) {
      return Error{.problem = "shape is too large to address",
                   .tensor = tensor.name,
                   .found = fmt::format("shape [{}]", fmt::join(tensor.shape, ", "))};
    }
    header.json += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                               separator, Quoted(tensor.name), InfoOf(tensor.dtype).name,
                               fmt::join(tensor.shape, ","), header.data_bytes, *end);
    separator = ",";
    header.data_bytes = *end;
  }
  header.json += header.json.empty() ? "{}" : "}";
  header.json.resize((header.json.size() + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes,
                     ' ');
  return header;
}

// A file that we would refuse to read is not written: one rule for both.
Result<void> CheckReadable(const Header& header) {
  if (header.json.size() > kSafetensorsHeaderLimitBytes) {
    return Error{.problem = "names and shapes are too long for a safetensors header",
                 .found = fmt::format("{} bytes", header.json.size()),
                 .expected = fmt::format("at most {}", kSafetensorsHeaderLimitBytes)};
  }
  const auto file_bytes = CheckedAdd(header.data_bytes, kLengthFieldBytes + header.json.size());
  if (!file_bytes) return Error{.problem = "tensors are too large to address"};
  auto table = ParseSafetensorsHeader(header.json, *file_bytes);
  if (table) return {};
  Error error = std::move(table).error();
  error.byte_offset.reset();  // nobody can look at a file that was not written
  return error;
}

std::string LengthField(uint64_t length) {
  std::string bytes;
  for (unsigned i = 0; i < kLengthFieldBytes; ++i) {
    bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  }
  return bytes;
}

}  // namespace

std::optional<uint64_t> StoredBytes(const TensorToWrite& tensor) {
  const auto elements = ElementCount(tensor.shape);
  const auto bits = elements ? CheckedMultiply(*elements, InfoOf(tensor.dtype).bits) : std::nullopt;
  if (!bits) return {};
  return *bits / 8 + (*bits % 8 == 0 ? 0 : 1);
}

Result<SafetensorsStart> StartOfSafetensors(std::vector<TensorToWrite>& tensors,
                                            const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorToWrite& a, const TensorToWrite& b) { return a.name < b.name; });
  TG_ASSIGN(const auto header, HeaderOf(tensors, metadata));
  TG_TRY(CheckReadable(header));
  return SafetensorsStart{.bytes = LengthField(header.json.size()) + header.json,
                          .data_bytes = header.data_bytes};
}

SafetensorsWriter::SafetensorsWriter(std::vector<TensorToWrite> tensors,
                                     std::unique_ptr<AtomicFile> file, uint64_t data_bytes)
    : tensors_(std::move(tensors)), file_(std::move(file)), missing_bytes_(data_bytes) {}

Result<std::unique_ptr<SafetensorsWriter>> SafetensorsWriter::Create(
    const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
    const std::map<std::string, std::string>& metadata) {
  auto start = StartOfSafetensors(tensors, metadata);
  if (!start) return std::move(start).error().InFile(path.string());
  TG_ASSIGN(auto file, AtomicFile::Create(path));
  TG_TRY(file->Append(std::as_bytes(std::span(start->bytes))));
  return std::unique_ptr<SafetensorsWriter>(
      new SafetensorsWriter(std::move(tensors), std::move(file), start->data_bytes));
}

Result<void> SafetensorsWriter::Append(std::span<const std::byte> bytes) {
  assert(bytes.size() <= missing_bytes_);
  missing_bytes_ -= bytes.size();
  return file_->Append(bytes);
}

Result<void> SafetensorsWriter::Finish() {
  assert(missing_bytes_ == 0);
  return file_->Commit();
}

}  // namespace tensorguard::internal
