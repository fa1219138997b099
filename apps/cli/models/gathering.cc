#include "cli/models/gathering.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "weights/files/model_path_errors.h"

namespace tensorguard::internal::cli {

void TellLeftOut(const std::vector<LeftOut>& left_out, Console& console) {
  std::map<std::string, std::vector<std::string>> paths_of;  // by reason
  for (const LeftOut& each : left_out) paths_of[each.reason].push_back(each.path);
  for (const auto& [reason, paths] : paths_of) {
    console.Message(fmt::format("left out ({}): {}", EscapeControl(reason),
                                EscapeControl(Listed(paths), /*longest=*/1000)));
  }
}

void AddShortfall(const Shortfall& shortfall, OrderedJson* object) {
  for (const LeftOut& each : shortfall.left_out) {
    (*object)["left_out"].push_back({{"path", each.path}, {"reason", each.reason}});
  }
  AddErrors(shortfall.errors, object);
}

}  // namespace tensorguard::internal::cli
