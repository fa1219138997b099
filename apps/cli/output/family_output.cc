#include "cli/output/family_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/models/models.h"

namespace tensorguard::internal::cli {

OrderedJson ImputedToJson(const std::vector<ImputedFeature>& imputed) {
  OrderedJson json = OrderedJson::array();
  for (const ImputedFeature& each : imputed) {
    json.push_back(
        {{"model", each.model_name}, {"feature", each.feature_name}, {"value", each.value}});
  }
  return json;
}

std::string NotesText(const std::vector<std::string>& notes,
                      const std::vector<ImputedFeature>& imputed) {
  std::string text;
  for (const std::string& note : notes) text += fmt::format("note: {}\n", EscapeControl(note));
  for (const ImputedFeature& each : imputed) {
    text += fmt::format("note: {} has no {}; filled in {:.6g}\n", EscapeControl(each.model_name),
                        EscapeControl(each.feature_name), each.value);
  }
  return text;
}

ExitStatus StatusOf(std::string_view verdict, const std::vector<std::string>& fail_on) {
  const bool named = std::find(fail_on.begin(), fail_on.end(), verdict) != fail_on.end();
  return named ? ExitStatus::kNamedAnswer : ExitStatus::kDone;
}

ExitStatus StatusAfter(const Shortfall& shortfall, ExitStatus status, Console& console) {
  if (shortfall.errors.empty()) return status;
  console.Message(FailureCount(shortfall.errors.size(), shortfall.asked));
  return ExitStatus::kError;
}

}  // namespace tensorguard::internal::cli
