// tensorguard stress: what is still found of a model after each change.
#include "api/changes/stress_trial.h"
#include "api/json/stress_json.h"
#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/stress_output.h"
#include "report/stress_page.h"

namespace tensorguard::internal::cli {

Result<ExitStatus> RunStress(const StressCommandOptions& options, Console& console) {
  const auto report = RunStressTrial({.model = options.model,
                                      .base = options.base,
                                      .against = options.against,
                                      .changes = options.changes,
                                      .deep = options.deep,
                                      .search = options.search,
                                      .seed = options.seed,
                                      .threads = options.threads},
                                     SessionOf(console));
  if (!report) return report.error();
  if (options.html) {
    auto written = WriteFileAtomically(*options.html, DrawStressPage(*report));
    if (!written) return std::move(written).error();
  }
  if (console.json()) {
    console.PrintJson(StressToJson(*report, options.html));
  } else {
    console.Print(StressToText(*report));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
