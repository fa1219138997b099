#include "cli/output/family_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tensorguard::internal::cli {

FamilyRequest FamilyRequestOf(const ClusterOptions& options) {
  return {.models = options.models,
          .centers = options.centers,
          .method = options.method == "gmm" ? CenterMethod::kMixture : CenterMethod::kKMeans,
          .clusters = options.clusters,
          .threads = options.threads};
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

std::string FailureCount(size_t failed, size_t all) {
  return fmt::format("{} of {} models could not be read (listed above)", failed, all);
}

ExitStatus StatusAfter(const Shortfall& shortfall, ExitStatus status, Console& console) {
  if (shortfall.errors.empty()) return status;
  console.Note(FailureCount(shortfall.errors.size(), shortfall.asked));
  return ExitStatus::kError;
}

}  // namespace tensorguard::internal::cli
