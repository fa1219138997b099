#include "formats/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "base/checked.h"
#include "base/json.h"

namespace tensorguard {
namespace {

constexpr uint64_t kLengthFieldBytes = 8;
constexpr size_t kMostDimensions = 32;  // far above any tensor's; keeps a hostile shape small

Error AtByte(uint64_t byte_offset, std::string problem) {
  return {.problem = std::move(problem), .byte_offset = byte_offset};
}

// Iterates over the header and tells how far the parser has read, so that every error has a place.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

// Receives the header's JSON events and builds entries. Data ranges are still relative to the data
// section and unchecked when it is done.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(const char* begin, const char* const* reached) : begin_(begin), reached_(reached) {}

  bool null() override {
    if (state_ == State::kMetadata) return Go(State::kTop);
    return Unexpected("null");
  }
  bool boolean(bool value) override { return Unexpected(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return Unexpected(fmt::format("{}", value));
  }
  bool number_float(number_float_t, const string_t& text) override { return Unexpected(text); }
  bool binary(binary_t&) override { return Unexpected("binary"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::kShapeValues) {
      if (entry_.shape.size() == kMostDimensions) {
        return Fail(fmt::format("shape has more than {} dimensions", kMostDimensions));
      }
      entry_.shape.push_back(value);
      return true;
    }
    if (state_ == State::kOffsetValues && offset_count_ < 2) {
      (offset_count_++ == 0 ? entry_.data_begin_bytes : entry_.data_end_bytes) = value;
      return true;
    }
    return Unexpected(fmt::format("{}", value));
  }

  bool string(string_t& value) override {
    if (state_ == State::kMetadataEntries) {
      table.metadata[metadata_key_] = value;
      return true;
    }
    if (state_ != State::kDType) return Unexpected(fmt::format("\"{}\"", value));
    const auto dtype = DTypeFromName(value);
    if (!dtype) {
      Fail("unknown dtype");
      error.kind = ErrorKind::kUnsupported;
      error.found = value;
      std::vector<std::string_view> names;
      for (const DTypeInfo& info : AllDTypes()) names.push_back(info.name);
      error.expected = fmt::format("one of {}", fmt::join(names, " "));
      return false;
    }
    entry_.dtype = *dtype;
    return Go(State::kEntry);
  }

  bool start_object(std::size_t) override {
    if (state_ == State::kStart) return Go(State::kTop);
    if (state_ == State::kMetadata) return Go(State::kMetadataEntries);
    if (state_ == State::kEntryStart) return Go(State::kEntry);
    return Unexpected("an object");
  }

  bool key(string_t& name) override {
    if (state_ == State::kMetadataEntries) {
      metadata_key_ = name;
      if (!table.metadata.contains(name)) return true;
      error.found = name;
      return Fail("key occurs twice in __metadata__");
    }
    if (state_ == State::kTop) return StartEntry(name);
    return StartField(name);
  }

  bool end_object() override {
    if (state_ == State::kMetadataEntries) return Go(State::kTop);
    if (state_ == State::kTop) return Go(State::kEnd);
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (!fields_.contains(field)) return Fail(fmt::format("{} is missing", field));
    }
    table.tensors.push_back(std::move(entry_));
    entry_ = {};
    return Go(State::kTop);
  }

  bool start_array(std::size_t) override {
    if (state_ == State::kShape) return Go(State::kShapeValues);
    if (state_ == State::kOffsets) return Go(State::kOffsetValues);
    return Unexpected("an array");
  }

  bool end_array() override {
    if (state_ == State::kOffsetValues && offset_count_ != 2) {
      error.found = fmt::format("{} numbers", offset_count_);
      error.expected = "a begin and an end";
      return Fail("data_offsets is not a pair");
    }
    return Go(State::kEntry);
  }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& exception) override {
    const std::string_view text = exception.what();
    const size_t detail = text.find(": ");
    error.found = detail == text.npos ? text : text.substr(detail + 2);
    return Fail("header is not valid JSON");
  }

  TensorTable table;
  Error error;

 private:
  enum class State {
    kStart,
    kTop,
    kMetadata,
    kMetadataEntries,
    kEntryStart,
    kEntry,
    kDType,
    kShape,
    kShapeValues,
    kOffsets,
    kOffsetValues,
    kEnd,
  };

  bool StartEntry(const std::string& name) {
    if (!names_.insert(name).second) {
      error.tensor = name;
      return Fail("name occurs twice in the header");
    }
    if (name == "__metadata__") return Go(State::kMetadata);
    entry_.name = name;
    fields_.clear();
    offset_count_ = 0;
    return Go(State::kEntryStart);
  }

  bool StartField(const std::string& name) {
    if (!fields_.insert(name).second) return Fail(fmt::format("{} occurs twice", name));
    if (name == "dtype") return Go(State::kDType);
    if (name == "shape") return Go(State::kShape);
    if (name == "data_offsets") return Go(State::kOffsets);
    error.found = name;
    error.expected = "dtype, shape and data_offsets only";
    return Fail("unknown field of a tensor");
  }

  bool Go(State next) {
    state_ = next;
    return true;
  }

  bool Fail(std::string problem) {
    error.problem = std::move(problem);
    error.byte_offset = kLengthFieldBytes + static_cast<uint64_t>(*reached_ - begin_);
    if (error.tensor.empty()) error.tensor = entry_.name;
    return false;
  }

  bool Unexpected(std::string found) {
    error.found = std::move(found);
    switch (state_) {
      case State::kStart:
        return Fail("header is not a JSON object");
      case State::kMetadata:
      case State::kMetadataEntries:
        error.expected = "an object of strings, or null";
        return Fail("__metadata__ is not a map of strings");
      case State::kDType:
        return Fail("dtype is not a string");
      case State::kShape:
      case State::kShapeValues:
        error.expected = "an array of whole numbers below 2^64";
        return Fail("shape is not an array of sizes");
      case State::kOffsets:
      case State::kOffsetValues:
        error.expected = "two whole numbers below 2^64";
        return Fail("data_offsets is not a pair");
      default:
        error.expected = "an object with dtype, shape and data_offsets";
        return Fail("tensor entry is not an object");
    }
  }

  const char* begin_;
  const char* const* reached_;
  State state_ = State::kStart;
  TensorEntry entry_;
  unsigned offset_count_ = 0;
  std::string metadata_key_;
  std::set<std::string> names_;
  std::set<std::string> fields_;
};

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
  if (header.empty() || header.front() != '{') {
    return AtByte(kLengthFieldBytes, "header does not start with {");
  }
  const char* reached = header.data();
  const char* const end = header.data() + header.size();
  HeaderReader reader(header.data(), &reached);
  if (!nlohmann::json::sax_parse(TrackedIterator(header.data(), &reached),
                                 TrackedIterator(end, &reached), &reader)) {
    return std::move(reader.error);
  }

  TensorTable table = std::move(reader.table);
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
  auto laid_out = CheckLayout(table.tensors, data_begin_bytes, data_bytes);
  if (!laid_out) return std::move(laid_out).error();
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
    return in_file(NotSafetensors("not a safetensors file, or its header length is wrong",
                                  fmt::format("a header length of {} bytes", header_bytes),
                                  fmt::format("at most {}", kSafetensorsHeaderLimitBytes)));
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

}  // namespace tensorguard
