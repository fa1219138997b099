// JSON text as a stream of its scalars, each with its path: for vocabularies, whose document as a
// tree would take many times their memory.
#ifndef TENSORGUARD_TOKENIZERS_FILES_JSON_WALK_H_
#define TENSORGUARD_TOKENIZERS_FILES_JSON_WALK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// One step from a container to what it holds.
struct JsonStep {
  bool in_array = false;
  size_t index = 0;  // in an array
  std::string key;   // in an object

  // True if this is the member `name` of an object.
  bool Is(std::string_view name) const { return !in_array && key == name; }
};

using JsonPath = std::span<const JsonStep>;

// null, true or false, a whole number from 0, any other number, text. Text lives during the call.
using JsonScalar = std::variant<std::monostate, bool, uint64_t, double, std::string_view>;

using JsonVisitor = std::function<Result<void>(JsonPath path, const JsonScalar& value)>;

// Calls `visit` for every scalar in the order of the text; an error that it returns ends the walk.
// Strict as ParseJson: UTF-8, each key once in an object, nesting to 64 levels, byte offsets in
// errors; numbers that Python writes but JSON does not know are refused.
Result<void> WalkJson(std::string_view text, const JsonVisitor& visit);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_JSON_WALK_H_
