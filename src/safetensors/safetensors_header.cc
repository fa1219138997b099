#include "safetensors/safetensors_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/json/json_text.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kMostDimensions = 32;  // far above any tensor's; keeps a hostile shape small

// Receives the header's JSON events and builds entries. Data ranges are still relative to the data
// section and unchecked when it is done.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string_view header) : text_(header) {}

  bool Read() { return text_.Parse(*this); }

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
      if (table.metadata.size() == kSafetensorsMostMetadata) {
        return TooMany("keys of __metadata__", kSafetensorsMostMetadata);
      }
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
    error.found = JsonSyntaxProblem(exception);
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
    if (table.tensors.size() == kSafetensorsMostTensors) {
      return TooMany("tensors", kSafetensorsMostTensors);
    }
    if (name.size() > kSafetensorsLongestNameBytes) {
      error.found = fmt::format("{} bytes", name.size());
      error.expected = fmt::format("at most {}", kSafetensorsLongestNameBytes);
      return Fail("name of a tensor is too long");
    }
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

  bool TooMany(std::string_view what, size_t most) {
    error.kind = ErrorKind::kUnsupported;
    error.expected = fmt::format("at most {}", most);
    return Fail(fmt::format("file holds more {} than this program reads", what));
  }

  bool Fail(std::string problem) {
    error.problem = std::move(problem);
    error.byte_offset = kLengthFieldBytes + text_.LastByteRead();
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

  JsonText text_;
  State state_ = State::kStart;
  TensorEntry entry_;
  unsigned offset_count_ = 0;
  std::string metadata_key_;
  std::set<std::string> names_;
  std::set<std::string> fields_;
};

}  // namespace

Result<TensorTable> ReadSafetensorsEntries(std::string_view header) {
  if (header.empty() || header.front() != '{') {
    return Error{.problem = "header does not start with {", .byte_offset = kLengthFieldBytes};
  }
  HeaderReader reader(header);
  if (!reader.Read()) return std::move(reader.error);
  return std::move(reader.table);
}

}  // namespace tensorguard::internal
