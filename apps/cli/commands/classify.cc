// tensorguard classify: which known models a model comes from, or none.
#include "api/reading/sources.h"
#include "cli/arguments/usage.h"
#include "cli/commands/profile_commands.h"

namespace tensorguard::internal::cli {

Result<ExitStatus> RunClassify(const ClassifyOptions& options, Console& console) {
  std::vector<std::string> arguments = options.known;
  arguments.push_back(options.model);
  if (ChooseProfile(options.profile, arguments) == Profile::kPaper) {
    return RunClassifyByPaperProfile(options, console);
  }
  if (options.impute || !options.centers.empty()) {
    return UsageError("--centers and --impute are for the paper profile",
                      options.impute ? "--impute" : "--centers");
  }
  return RunClassifyByFullProfile(options, console);
}

}  // namespace tensorguard::internal::cli
