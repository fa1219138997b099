// Options of adapter_config.json, checked as they are read.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_OPTIONS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Null (which PEFT writes for options that are off) counts as absent: null.
const Json* FindOption(const Json& object, const char* key);

// The option, or `fallback` where it is absent. Errors: kBadFile (another type; a number that is
// not finite; a count above 2^53), naming the option.
Result<bool> FlagOr(const Json& object, const char* key, bool fallback);
Result<double> NumberOr(const Json& object, const char* key, double fallback);
Result<uint64_t> CountOr(const Json& object, const char* key, uint64_t fallback);
Result<std::string> TextOr(const Json& object, const char* key, std::string_view fallback);
// Empty where it is absent.
Result<std::vector<std::string>> TextsOf(const Json& object, const char* key);
Result<std::vector<uint64_t>> CountsOf(const Json& object, const char* key);

Result<double> CheckedNumber(const char* key, const Json& value);

// What is wrong with the value of an option.
Error WrongOption(std::string_view key, const Json& value, std::string_view expected);
// An option that changes the model in a way that the merge cannot honour.
Error UnsupportedOption(const Json& object, const char* key);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_ADAPTER_OPTIONS_H_
