// What the JSON of all results has in common.
#ifndef TENSORGUARD_API_JSON_RESULT_JSON_H_
#define TENSORGUARD_API_JSON_RESULT_JSON_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/error.h"

namespace tensorguard::internal {

using OrderedJson = nlohmann::ordered_json;  // keeps the fields in the order in which they are set

// {"schema": "tensorguard.COMMAND/1"}, to be filled.
OrderedJson ResultObject(std::string_view command);

// null where there is no number.
OrderedJson NumberOrNull(const std::optional<double>& number);

// A p-value or its logarithm with six significant digits: the last bits of the sums behind it hang
// on the processor. null where there is none.
OrderedJson ChanceOrNull(const std::optional<double>& number);

// {kind, file, tensor, byte, problem, found, expected, try}, only what is known.
OrderedJson ErrorToJson(const Error& error);

// Sets "error" to the first of `errors` and "errors" to all of them; nothing where there are none.
void AddErrors(const std::vector<Error>& errors, OrderedJson* object);

// One line in pure ASCII (names from files cannot steer the terminal); bytes that are not UTF-8
// become U+FFFD. Ends with a line feed.
std::string JsonText(const OrderedJson& json);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_RESULT_JSON_H_
