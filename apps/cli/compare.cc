// tensorguard compare: a verdict on a pair of models.
#include "cli/profile_commands.h"
#include "cli/sources.h"
#include "cli/usage.h"

namespace tensorguard::cli {

Result<ExitStatus> RunCompare(const CompareOptions& options, Console& console) {
  std::vector<std::string> arguments = options.known;
  arguments.insert(arguments.end(), {options.first, options.second});
  if (ChooseProfile(options.profile, arguments) == Profile::kFull) {
    if (!options.impute) return RunCompareByFullProfile(options, console);
    return UsageError("--impute is for the paper profile, whose features may be missing");
  }
  if (options.deep || options.html) {
    return UsageError("the paper profile has neither --deep nor --html", "",
                      "models, or fingerprints of the full profile");
  }
  return RunCompareByPaperProfile(options, console);
}

}  // namespace tensorguard::cli
