#include "api/reading/gathering.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "weights/files/model_path_errors.h"

namespace tensorguard::internal {

void TellLeftOut(const std::vector<LeftOut>& left_out, const Session& session) {
  std::map<std::string, std::vector<std::string>> paths_of;  // by reason
  for (const LeftOut& each : left_out) paths_of[each.reason].push_back(each.path);
  for (const auto& [reason, paths] : paths_of) {
    session.listener.Note(fmt::format("left out ({}): {}", EscapeControl(reason),
                                      EscapeControl(Listed(paths), /*longest=*/1000)));
  }
}

}  // namespace tensorguard::internal
