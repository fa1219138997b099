// The answers that an evaluation holds against the truth.
#ifndef TENSORGUARD_API_EVALUATION_EVALUATION_ANSWERS_H_
#define TENSORGUARD_API_EVALUATION_EVALUATION_ANSWERS_H_

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/evaluation/evaluation_report.h"
#include "api/session.h"
#include "evaluation/evaluation.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// The models of a truth file, which lie beside it.
struct EvaluatedModels {
  std::filesystem::path folder;
  std::span<const TruthModel> models;
  unsigned threads = 0;
};

// A model's path and, where it is an adapter, that of its first parent as base.
struct ModelPlace {
  std::string path;
  std::optional<std::string> base = {};
};

// NAME or NAME.safetensors in the folder. Errors: kNotFound for a model that is not there; kUsage
// for an adapter without a parent.
Result<ModelPlace> PlaceOf(const EvaluatedModels& set, const TruthModel& model);

struct EvaluationAnswers {
  std::vector<PairAnswer> answers = {};  // one per pair; without a score where a model failed
  std::vector<MergeAnswer> merges = {};
  std::vector<CopyAnswer> copies = {};
  std::vector<Error> errors = {};  // of models; already reported to the listener
};

// The verdict of a pair of which one model could not be read.
inline constexpr const char* kFailedVerdict = "error";

// Scores by the paper profile's standardised distance among all models of the set.
// Errors: kCancelled; those of BuildFeatureMatrix.
Result<EvaluationAnswers> AnswerByPaperProfile(const EvaluatedModels& set,
                                               std::span<const EvaluationPair> pairs,
                                               const Session& session);

// Verdicts and scores of the full profile; with `deep`, of the test on the weights as well, whose
// -log10 p is then the score. Also looks for the parents of each merge among all other models and
// compares each copy with its twin. Errors: kCancelled; those of CompareFingerprints
// and RunDeepTest.
Result<EvaluationAnswers> AnswerByFullProfile(const EvaluatedModels& set,
                                              std::span<const EvaluationPair> pairs, bool deep,
                                              const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_EVALUATION_EVALUATION_ANSWERS_H_
