// tensorguard evaluate: verdicts on a folder of models whose ancestry is known.
#include "cli/commands/commands.h"
#include "cli/commands/evaluate_answers.h"
#include "cli/models/models.h"

namespace tensorguard::internal::cli {
namespace {

Result<EvaluationAnswers> Answer(const EvaluateOptions& options, const EvaluatedModels& set,
                                 std::span<const EvaluationPair> pairs, Console& console) {
  if (options.profile == "paper") return AnswerByPaperProfile(set, pairs, console);
  return AnswerByFullProfile(set, pairs, options.profile == "deep", console);
}

}  // namespace

Result<ExitStatus> RunEvaluate(const EvaluateOptions& options, Console& console) {
  auto models = ReadTruth(options.truth);
  if (!models) return std::move(models).error();
  EvaluationReport report = {.profile = options.profile, .models = *std::move(models), .pairs = {}};
  report.pairs = PairsToEvaluate(report.models);
  const EvaluatedModels set = {.folder = std::filesystem::path(options.truth).parent_path(),
                               .models = report.models,
                               .threads = options.threads};
  auto answers = Answer(options, set, report.pairs, console);
  if (!answers) return std::move(answers).error();
  report.answers = std::move(answers->answers);
  report.merges = std::move(answers->merges);
  report.copies = std::move(answers->copies);
  report.evaluation = Evaluate(report.models, report.pairs, report.answers);
  if (console.json()) {
    OrderedJson json = EvaluationToJson(report);
    AddErrors(answers->errors, &json);
    console.PrintJson(json);
  } else {
    console.Print(EvaluationToText(report));
  }
  if (answers->errors.empty()) return ExitStatus::kDone;
  console.Message(FailureCount(answers->errors.size(), report.models.size()));
  return ExitStatus::kError;
}

}  // namespace tensorguard::internal::cli
