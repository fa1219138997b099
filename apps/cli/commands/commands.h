// The commands. Each prints its result on the console, as text or JSON, and gives the exit status;
// an error is for the caller to report.
#ifndef TENSORGUARD_CLI_COMMANDS_COMMANDS_H_
#define TENSORGUARD_CLI_COMMANDS_COMMANDS_H_

#include "cli/arguments/options.h"
#include "cli/output/console.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

enum class ExitStatus {
  kDone = 0,
  kNamedAnswer = 1,  // the answer is one that --fail-on names
  kError = 2,
};

Result<ExitStatus> RunInspect(const InspectOptions& options, Console& console);
Result<ExitStatus> RunFingerprint(const FingerprintOptions& options, Console& console);
Result<ExitStatus> RunCompare(const CompareOptions& options, Console& console);
Result<ExitStatus> RunClassify(const ClassifyOptions& options, Console& console);
Result<ExitStatus> RunCluster(const ClusterOptions& options, Console& console);
Result<ExitStatus> RunLineage(const LineageOptions& options, Console& console);
Result<ExitStatus> RunRegistry(const RegistryOptions& options, Console& console);
Result<ExitStatus> RunConvert(const ConvertOptions& options, Console& console);
Result<ExitStatus> RunSensitivity(const SensitivityOptions& options, Console& console);
Result<ExitStatus> RunEvaluate(const EvaluateOptions& options, Console& console);
Result<ExitStatus> RunTransform(const TransformOptions& options, Console& console);
Result<ExitStatus> RunStress(const StressCommandOptions& options, Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_COMMANDS_H_
