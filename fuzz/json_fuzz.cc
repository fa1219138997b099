// Any bytes as JSON: never a crash, and what is accepted is bounded in depth and survives being
// written and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "fuzz/refusal_checks.h"

namespace {

using tensorguard::internal::CheckRefused;
using tensorguard::internal::Require;

constexpr size_t kDeepestNesting = 64;

size_t DepthOf(const tensorguard::internal::Json& json) {
  if (!json.is_structured()) return 0;
  size_t deepest = 0;
  for (const tensorguard::internal::Json& inner : json) deepest = std::max(deepest, DepthOf(inner));
  return deepest + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const auto json = tensorguard::internal::ParseJson(
      std::string_view(reinterpret_cast<const char*>(input), size));
  if (!json) {
    CheckRefused(json.error(), size);
    return 0;
  }
  Require(!json->is_discarded());
  Require(DepthOf(*json) <= kDeepestNesting);
  const auto again = tensorguard::internal::ParseJson(json->dump());
  Require(again && *again == *json);
  return 0;
}
