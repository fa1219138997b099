#include "weights/adapters/adapter_options.h"

#include <fmt/format.h>

#include <cmath>

#include "base/json/shown_json.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kLargestCount = uint64_t{1} << 53;

Result<uint64_t> CheckedCount(const char* key, const Json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kLargestCount) {
    return WrongOption(key, value, "a whole number");
  }
  return value.get<uint64_t>();
}

}  // namespace

const Json* FindOption(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

Result<bool> FlagOr(const Json& object, const char* key, bool fallback) {
  const Json* value = FindOption(object, key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return WrongOption(key, *value, "true or false");
  return value->get<bool>();
}

Result<double> CheckedNumber(const char* key, const Json& value) {
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    return WrongOption(key, value, "a finite number");
  }
  return value.get<double>();
}

Result<double> NumberOr(const Json& object, const char* key, double fallback) {
  const Json* value = FindOption(object, key);
  if (value == nullptr) return fallback;
  return CheckedNumber(key, *value);
}

Result<uint64_t> CountOr(const Json& object, const char* key, uint64_t fallback) {
  const Json* value = FindOption(object, key);
  if (value == nullptr) return fallback;
  return CheckedCount(key, *value);
}

Result<std::string> TextOr(const Json& object, const char* key, std::string_view fallback) {
  const Json* value = FindOption(object, key);
  // Options such as init_weights are a flag or a name.
  if (value == nullptr || value->is_boolean()) return std::string(fallback);
  if (!value->is_string()) return WrongOption(key, *value, "a name");
  return value->get<std::string>();
}

Result<std::vector<std::string>> TextsOf(const Json& object, const char* key) {
  const Json* value = FindOption(object, key);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (!value->is_array()) return WrongOption(key, *value, "a list of names");
  for (const Json& item : *value) {
    if (!item.is_string()) return WrongOption(key, item, "a list of names");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Result<std::vector<uint64_t>> CountsOf(const Json& object, const char* key) {
  const Json* value = FindOption(object, key);
  std::vector<uint64_t> counts;
  if (value == nullptr) return counts;
  if (!value->is_array()) return WrongOption(key, *value, "a list of whole numbers");
  for (const Json& item : *value) {
    TG_ASSIGN(const auto count, CheckedCount(key, item));
    counts.push_back(count);
  }
  return counts;
}

Error WrongOption(std::string_view key, const Json& value, std::string_view expected) {
  return {.problem = fmt::format("{} has the wrong type or value", key),
          .found = ShownJson(value),
          .expected = std::string(expected)};
}

Error UnsupportedOption(const Json& object, const char* key) {
  Error error = WrongOption(key, object.value(key, Json()), "an adapter without this option");
  error.kind = ErrorKind::kUnsupported;
  error.problem = fmt::format("{} is not supported", key);
  return error;
}

}  // namespace tensorguard::internal
