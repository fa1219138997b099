// tensorguard cluster: families among many models.
#include "api/reading/sources.h"
#include "cli/arguments/usage.h"
#include "cli/commands/profile_commands.h"

namespace tensorguard::internal::cli {

Result<ExitStatus> RunCluster(const ClusterOptions& options, Console& console) {
  if (ChooseProfile(options.profile, options.models) == Profile::kFull) {
    if (options.clusters && options.centers.empty()) {
      return UsageError("--clusters is for families around --centers");
    }
    if (!options.impute) return RunClusterByFullProfile(options, console);
    return UsageError("--impute is for the paper profile, whose features may be missing");
  }
  if (options.centers.empty()) {
    return UsageError("the paper profile needs --centers", "", "names of models among those given");
  }
  return RunClusterByPaperProfile(options, console);
}

}  // namespace tensorguard::internal::cli
