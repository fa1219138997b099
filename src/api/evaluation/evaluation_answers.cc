#include "api/evaluation/evaluation_answers.h"

#include <fmt/format.h>

#include "api/paper/features.h"
#include "base/try.h"
#include "model/model.h"
#include "paper/paper_comparison.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<ModelPlace> PlaceOf(const EvaluatedModels& set, const TruthModel& model) {
  std::error_code ignored;
  const fs::path folder = set.folder / model.name;
  const fs::path file = set.folder / (model.name + ".safetensors");
  if (!fs::exists(folder, ignored)) {
    if (fs::exists(file, ignored)) return ModelPlace{.path = file.string()};
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "a model of the truth is not there",
                 .file = folder.string()};
  }
  TG_ASSIGN(const auto is_adapter, NamesAdapter(folder));
  if (!is_adapter) return ModelPlace{.path = folder.string()};
  if (model.parents.empty()) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "the truth names no parent of an adapter",
                 .file = folder.string()};
  }
  return ModelPlace{.path = folder.string(), .base = (set.folder / model.parents.front()).string()};
}

Result<EvaluationAnswers> AnswerByPaperProfile(const EvaluatedModels& set,
                                               std::span<const EvaluationPair> pairs,
                                               const Session& session) {
  EvaluationAnswers result;
  std::vector<PaperFeatures> read;
  std::vector<std::optional<size_t>> place_in_read;  // by model
  for (const TruthModel& model : set.models) {
    const auto place = PlaceOf(set, model);
    auto features =
        place ? FeaturesOf(place->path, {.base = place->base, .threads = set.threads}, session)
              : Result<PaperFeatures>(place.error());
    place_in_read.push_back(features ? std::optional(read.size()) : std::nullopt);
    if (features) {
      features->model_name = model.name;
      read.push_back(*std::move(features));
    } else if (features.error().kind == ErrorKind::kCancelled) {
      return std::move(features).error();
    } else {
      session.listener.ReportError(features.error());
      result.errors.push_back(std::move(features).error());
    }
  }
  TG_ASSIGN(const auto population, BuildFeatureMatrix(read, MissingFeature::kImpute));
  for (const EvaluationPair& pair : pairs) {
    const auto a = place_in_read[pair.model];
    const auto b = place_in_read[pair.base];
    if (!a || !b) {
      result.answers.push_back({.verdict = kFailedVerdict});
      continue;
    }
    TG_ASSIGN(const auto comparison,
              ComparePaperFeatures(read[*a], read[*b], &population, MissingFeature::kImpute));
    result.answers.push_back(
        {.score = comparison.score, .verdict = std::string(PaperVerdictName(comparison.verdict))});
  }
  return result;
}

}  // namespace tensorguard::internal
