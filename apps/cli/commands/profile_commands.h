// The commands on pairs and sets of models, once for each profile. They are as in commands.h.
#ifndef TENSORGUARD_CLI_COMMANDS_PROFILE_COMMANDS_H_
#define TENSORGUARD_CLI_COMMANDS_PROFILE_COMMANDS_H_

#include "cli/commands/commands.h"

namespace tensorguard::internal::cli {

Result<ExitStatus> RunCompareByPaperProfile(const CompareOptions& options, Console& console);
Result<ExitStatus> RunClassifyByPaperProfile(const ClassifyOptions& options, Console& console);
Result<ExitStatus> RunClusterByPaperProfile(const ClusterOptions& options, Console& console);

Result<ExitStatus> RunCompareByFullProfile(const CompareOptions& options, Console& console);
Result<ExitStatus> RunClassifyByFullProfile(const ClassifyOptions& options, Console& console);
Result<ExitStatus> RunClusterByFullProfile(const ClusterOptions& options, Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_PROFILE_COMMANDS_H_
