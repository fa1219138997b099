#include "api/json/shortfall_json.h"

namespace tensorguard::internal {

void AddShortfall(const Shortfall& shortfall, OrderedJson* object) {
  for (const LeftOut& each : shortfall.left_out) {
    (*object)["left_out"].push_back({{"path", each.path}, {"reason", each.reason}});
  }
  AddErrors(shortfall.errors, object);
}

}  // namespace tensorguard::internal
