#include "api/evaluation/evaluation_report.h"

#include <filesystem>
#include <utility>

#include "api/evaluation/evaluation_answers.h"
#include "api/evaluation/pair_evaluation.h"
#include "base/json.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

Result<EvaluationAnswers> Answer(EvaluatedProfile profile, const EvaluatedModels& set,
                                 std::span<const EvaluationPair> pairs, const Session& session) {
  if (profile == EvaluatedProfile::kPaper) return AnswerByPaperProfile(set, pairs, session);
  return AnswerByFullProfile(set, pairs, profile == EvaluatedProfile::kDeep, session);
}

}  // namespace

std::string_view EvaluatedProfileName(EvaluatedProfile profile) {
  switch (profile) {
    case EvaluatedProfile::kFull:
      return "full";
    case EvaluatedProfile::kDeep:
      return "deep";
    case EvaluatedProfile::kPaper:
      return "paper";
  }
  return "full";
}

Result<EvaluationReport> EvaluateModels(const EvaluationRequest& request, const Session& session) {
  TG_ASSIGN(const auto json, ReadJsonFile(request.truth));
  if (IsPairList(json)) {
    auto pairs = ReadPairList(json);
    if (!pairs) return std::move(pairs).error().InFile(request.truth);
    return EvaluatePairs(request, *pairs, session);
  }
  if (request.quick_bytes || request.keep) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "--quick and --keep are for lists of pairs",
                 .file = request.truth};
  }
  TG_ASSIGN(auto models, ReadTruth(request.truth));
  EvaluationReport report = {.profile = request.profile, .models = std::move(models)};
  report.pairs = PairsToEvaluate(report.models);
  const EvaluatedModels set = {.folder = std::filesystem::path(request.truth).parent_path(),
                               .models = report.models,
                               .threads = request.threads};
  TG_ASSIGN(auto answers, Answer(request.profile, set, report.pairs, session));
  report.answers = std::move(answers.answers);
  report.merges = std::move(answers.merges);
  report.copies = std::move(answers.copies);
  report.errors = std::move(answers.errors);
  report.evaluation = Evaluate(report.models, report.pairs, report.answers);
  return report;
}

}  // namespace tensorguard::internal
