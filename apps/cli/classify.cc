// tensorguard classify: which known models a model comes from, or none.
#include "cli/profile_commands.h"
#include "cli/sources.h"
#include "cli/usage.h"

namespace tensorguard::cli {

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

}  // namespace tensorguard::cli
