// tensorguard compare: a verdict on a pair of models.
#include "api/reading/sources.h"
#include "cli/arguments/usage.h"
#include "cli/commands/profile_commands.h"

namespace tensorguard::internal::cli {

Result<ExitStatus> RunCompare(const CompareOptions& options, Console& console) {
  std::vector<std::string> arguments = options.known;
  arguments.insert(arguments.end(), {options.first, options.second});
  if (ChooseProfile(options.profile, arguments) == Profile::kFull) {
    if (options.deep && options.quick_bytes) {
      return UsageError("--deep reads all weights, --quick only a part: give one of them");
    }
    if (!options.impute) return RunCompareByFullProfile(options, console);
    return UsageError("--impute is for the paper profile, whose features may be missing");
  }
  if (options.deep || options.html || options.quick_bytes) {
    return UsageError("the paper profile has no --deep, --quick or --html", "",
                      "models, or fingerprints of the full profile");
  }
  return RunCompareByPaperProfile(options, console);
}

}  // namespace tensorguard::internal::cli
