// tensorguard stress: what is still found of a model after each change.
#include "api/changes/stress_trial.h"
#include "api/json/stress_json.h"
#include "base/file.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/stress_output.h"
#include "report/stress_page.h"

namespace tensorguard::internal::cli {

Result<ExitStatus> RunStress(const StressCommandOptions& options, Console& console) {
  TG_ASSIGN(const auto report, RunStressTrial({.model = options.model,
                                               .base = options.base,
                                               .against = options.against,
                                               .changes = options.changes,
                                               .deep = options.deep,
                                               .search = options.search,
                                               .seed = options.seed,
                                               .threads = options.threads},
                                              SessionOf(console, options.part, false)));
  if (options.html) {
    TG_TRY(WriteFileAtomically(*options.html, DrawStressPage(report)));
  }
  if (console.json()) {
    console.PrintJson(StressToJson(report, options.html));
  } else {
    console.Print(StressToText(report));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
