#include "formats/gguf/gguf_metadata.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <type_traits>

#include "base/text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kAlignment = "general.alignment";
// Of all arrays of numbers together that are kept, but for the types of tokens.
constexpr uint64_t kMostKeptNumbers = 1 << 20;

// The format's numbers for the types of values.
enum GgufType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

// Of one value; 0 for texts, arrays and unknown types.
uint64_t BytesOf(uint32_t type) {
  switch (type) {
    case kUint8:
    case kInt8:
    case kBool:
      return 1;
    case kUint16:
    case kInt16:
      return 2;
    case kUint32:
    case kInt32:
    case kFloat32:
      return 4;
    case kUint64:
    case kInt64:
    case kFloat64:
      return 8;
    default:
      return 0;
  }
}

Error UnknownType(uint32_t type, uint64_t byte_offset) {
  return {.problem = "metadata has a value of unknown type",
          .byte_offset = byte_offset,
          .found = fmt::format("type {}", type),
          .expected = "0 to 12"};
}

template <typename T>
Result<GgufValue> ReadNumber(GgufCursor& cursor) {
  TG_ASSIGN(auto number, cursor.Number<T>());
  if constexpr (std::is_floating_point_v<T>) return GgufValue(static_cast<double>(number));
  if (number < 0) return GgufValue(static_cast<int64_t>(number));
  return GgufValue(static_cast<uint64_t>(number));
}

Result<GgufValue> ReadFlag(GgufCursor& cursor) {
  const uint64_t begin = cursor.position_bytes();
  auto flag = cursor.Number<uint8_t>();
  if (!flag) return std::move(flag).error();
  if (*flag <= 1) return GgufValue(*flag == 1);
  return Error{.problem = "metadata has a flag that is neither 0 nor 1",
               .byte_offset = begin,
               .found = fmt::format("{}", *flag)};
}

// One flag or number. REQUIRES: BytesOf(type) != 0.
Result<GgufValue> ReadScalar(GgufCursor& cursor, uint32_t type) {
  switch (type) {
    case kUint8:
      return ReadNumber<uint8_t>(cursor);
    case kInt8:
      return ReadNumber<int8_t>(cursor);
    case kUint16:
      return ReadNumber<uint16_t>(cursor);
    case kInt16:
      return ReadNumber<int16_t>(cursor);
    case kUint32:
      return ReadNumber<uint32_t>(cursor);
    case kInt32:
      return ReadNumber<int32_t>(cursor);
    case kUint64:
      return ReadNumber<uint64_t>(cursor);
    case kInt64:
      return ReadNumber<int64_t>(cursor);
    case kFloat32:
      return ReadNumber<float>(cursor);
    case kFloat64:
      return ReadNumber<double>(cursor);
    default:
      return ReadFlag(cursor);
  }
}

double AsReal(const GgufValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  if (const auto* number = std::get_if<uint64_t>(&value)) return static_cast<double>(*number);
  if (const auto* negative = std::get_if<int64_t>(&value)) return static_cast<double>(*negative);
  return std::get<double>(value);
}

using Kept = std::optional<GgufValue>;  // empty: read, but not worth keeping

Result<Kept> ReadText(GgufCursor& cursor) {
  TG_ASSIGN(auto length, cursor.TextLength());
  if (length > GgufMetadata::kLongestKeptTextBytes) {
    TG_TRY(cursor.Skip(length));
    return Kept();
  }
  TG_ASSIGN(auto text, cursor.TextOfLength(length));
  return Kept(std::move(text));
}

Result<Kept> ReadTexts(GgufCursor& cursor, uint64_t count, bool keep) {
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < count; ++i) {
    TG_ASSIGN(auto length, cursor.TextLength());
    if (keep) {
      TG_ASSIGN(auto text, cursor.TextOfLength(length));
      texts.push_back(std::move(text));
    } else if (auto skipped = cursor.Skip(length); !skipped) {
      return std::move(skipped).error();
    }
  }
  return keep ? Kept(std::move(texts)) : Kept();
}

Result<Kept> ReadNumbers(GgufCursor& cursor, uint32_t type, uint64_t count, bool keep) {
  if (!keep) {
    TG_TRY(cursor.Skip(count * BytesOf(type)));
    return Kept();
  }
  std::vector<double> numbers;
  numbers.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    TG_ASSIGN(auto number, ReadScalar(cursor, type));
    numbers.push_back(AsReal(number));
  }
  return Kept(std::move(numbers));
}

Result<Kept> ReadArray(GgufCursor& cursor, std::string_view key, uint64_t& kept_numbers) {
  const uint64_t begin = cursor.position_bytes();
  TG_ASSIGN(auto type, cursor.Number<uint32_t>());
  if (type == kArray) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "metadata has an array of arrays",
                 .byte_offset = begin};
  }
  if (type != kString && BytesOf(type) == 0) return UnknownType(type, begin);
  TG_ASSIGN(auto count, cursor.Number<uint64_t>());
  const uint64_t least_bytes = type == kString ? sizeof(uint64_t) : BytesOf(type);
  const bool of_tokens = key == GgufMetadata::kTokens || key == GgufMetadata::kTokenTypes;
  if (of_tokens && count > GgufMetadata::kMostTokens) {
    return Error{.problem = "vocabulary is too large",
                 .byte_offset = begin,
                 .found = fmt::format("{} tokens", count),
                 .expected = fmt::format("at most {}", GgufMetadata::kMostTokens)};
  }
  if (count > cursor.remaining_bytes() / least_bytes) {
    return Error{.problem = "array is longer than the file",
                 .byte_offset = begin,
                 .found = fmt::format("{} elements of at least {} bytes", count, least_bytes),
                 .expected = fmt::format("at most {} bytes", cursor.remaining_bytes())};
  }
  if (type == kString) return ReadTexts(cursor, count, key == GgufMetadata::kTokens);
  const bool types = key == GgufMetadata::kTokenTypes;
  const bool keep = types || count <= GgufMetadata::kMostKeptElements;
  if (keep && !types) kept_numbers += count;
  if (kept_numbers <= kMostKeptNumbers) {
    return ReadNumbers(cursor, type, count, keep);
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "metadata holds more arrays of numbers than this program reads",
               .byte_offset = begin,
               .expected = fmt::format("at most {} numbers", kMostKeptNumbers)};
}

Result<Kept> ReadValue(GgufCursor& cursor, std::string_view key, uint64_t& kept_numbers) {
  const uint64_t begin = cursor.position_bytes();
  TG_ASSIGN(auto type, cursor.Number<uint32_t>());
  if (type == kString) return ReadText(cursor);
  if (type == kArray) return ReadArray(cursor, key, kept_numbers);
  if (BytesOf(type) == 0) return UnknownType(type, begin);
  TG_ASSIGN(auto value, ReadScalar(cursor, type));
  return Kept(std::move(value));
}

// With the key in the text: it is no tensor, which has a place of its own in an error.
Error InKey(Error error, std::string_view key) {
  error.problem = fmt::format("metadata \"{}\": {}", EscapeControl(key, 100), error.problem);
  return error;
}

}  // namespace

template <typename T>
const T* GgufMetadata::Find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : std::get_if<T>(&found->second);
}

std::optional<std::string> GgufMetadata::Text(std::string_view key) const {
  const auto* text = Find<std::string>(key);
  return text != nullptr ? std::optional(*text) : std::nullopt;
}

std::optional<uint64_t> GgufMetadata::Number(std::string_view key) const {
  const auto* number = Find<uint64_t>(key);
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

std::optional<double> GgufMetadata::Real(std::string_view key) const {
  if (const auto* real = Find<double>(key)) return *real;
  if (const auto* number = Find<uint64_t>(key)) return static_cast<double>(*number);
  if (const auto* negative = Find<int64_t>(key)) return static_cast<double>(*negative);
  return {};
}

std::optional<bool> GgufMetadata::Flag(std::string_view key) const {
  const auto* flag = Find<bool>(key);
  return flag != nullptr ? std::optional(*flag) : std::nullopt;
}

const std::vector<double>* GgufMetadata::Numbers(std::string_view key) const {
  return Find<std::vector<double>>(key);
}

const std::vector<std::string>* GgufMetadata::Texts(std::string_view key) const {
  return Find<std::vector<std::string>>(key);
}

Result<GgufMetadata> GgufMetadata::Read(GgufCursor& cursor, uint64_t count) {
  GgufMetadata metadata;
  std::set<std::string, std::less<>> passed_over;
  uint64_t kept_numbers = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t begin = cursor.position_bytes();
    TG_ASSIGN(auto key, cursor.Text(kGgufLongestNameBytes));
    if (key.empty() || !IsUtf8(key)) {
      return Error{.problem = key.empty() ? "metadata has a key without a name"
                                          : "metadata has a key that is not UTF-8",
                   .byte_offset = begin,
                   .found = EscapeControl(key, 100)};
    }
    if (metadata.values_.contains(key) || passed_over.contains(key)) {
      return InKey(Error{.problem = "key is there twice", .byte_offset = begin}, key);
    }
    auto value = ReadValue(cursor, key, kept_numbers);
    if (!value) return InKey(std::move(value).error(), key);
    if (*value) {
      metadata.values_.emplace(std::move(key), **std::move(value));
    } else if (key == kAlignment) {
      return InKey(Error{.problem = "is no whole number", .byte_offset = begin}, key);
    } else {
      passed_over.insert(std::move(key));
    }
  }
  return metadata;
}

}  // namespace tensorguard::internal
