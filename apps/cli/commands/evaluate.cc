// tensorguard evaluate: verdicts on a folder of models whose ancestry is known.
#include "api/json/evaluation_json.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/evaluate_output.h"
#include "cli/output/family_output.h"

namespace tensorguard::internal::cli {
namespace {

EvaluatedProfile ProfileOf(const std::string& name) {
  if (name == "paper") return EvaluatedProfile::kPaper;
  return name == "deep" ? EvaluatedProfile::kDeep : EvaluatedProfile::kFull;
}

}  // namespace

Result<ExitStatus> RunEvaluate(const EvaluateOptions& options, Console& console) {
  TG_ASSIGN(const auto report, EvaluateModels({.truth = options.truth,
                                               .profile = ProfileOf(options.profile),
                                               .quick_bytes = options.quick_bytes,
                                               .keep = options.keep,
                                               .threads = options.threads},
                                              SessionOf(console)));
  if (console.json()) {
    console.PrintJson(EvaluationToJson(report));
  } else {
    console.Print(EvaluationToText(report));
  }
  if (report.errors.empty()) return ExitStatus::kDone;
  console.Note(FailureCount(report.errors.size(), report.models.size()));
  return ExitStatus::kError;
}

}  // namespace tensorguard::internal::cli
