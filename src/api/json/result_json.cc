#include "api/json/result_json.h"

#include <fmt/format.h>

#include <charconv>

namespace tensorguard::internal {

OrderedJson ResultObject(std::string_view command) {
  return {{"schema", fmt::format("tensorguard.{}/1", command)}};
}

OrderedJson NumberOrNull(const std::optional<double>& number) {
  return number ? OrderedJson(*number) : OrderedJson();
}

OrderedJson ChanceOrNull(const std::optional<double>& number) {
  if (!number) return OrderedJson();
  const std::string text = fmt::format("{:.5e}", *number);
  double rounded = *number;
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return OrderedJson(rounded);
}

OrderedJson ErrorToJson(const Error& error) {
  OrderedJson json = {{"kind", ErrorKindName(error.kind)}};
  if (!error.file.empty()) json["file"] = error.file;
  if (!error.tensor.empty()) json["tensor"] = error.tensor;
  if (error.byte_offset) json["byte"] = *error.byte_offset;
  json["problem"] = error.problem;
  if (!error.found.empty()) json["found"] = error.found;
  if (!error.expected.empty()) json["expected"] = error.expected;
  if (!error.advice.empty()) json["try"] = error.advice;
  return json;
}

void AddErrors(const std::vector<Error>& errors, OrderedJson* object) {
  if (errors.empty()) return;
  (*object)["error"] = ErrorToJson(errors.front());
  for (const Error& error : errors) (*object)["errors"].push_back(ErrorToJson(error));
}

std::string JsonText(const OrderedJson& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, OrderedJson::error_handler_t::replace) + '\n';
}

}  // namespace tensorguard::internal
