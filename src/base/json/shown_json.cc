#include "base/json/shown_json.h"

namespace tensorguard::internal {

std::string ShownJson(const Json& value) {
  constexpr size_t kMostShown = 200;
  return value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace)
      .substr(0, kMostShown);
}

}  // namespace tensorguard::internal
