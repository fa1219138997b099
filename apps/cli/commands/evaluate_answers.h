// The answers that `tensorguard evaluate` holds against the truth.
#ifndef TENSORGUARD_CLI_COMMANDS_EVALUATE_ANSWERS_H_
#define TENSORGUARD_CLI_COMMANDS_EVALUATE_ANSWERS_H_

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/output/console.h"
#include "cli/output/evaluate_output.h"
#include "evaluation/evaluation.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

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
  std::vector<Error> errors = {};  // of models; already reported on the console
};

// The verdict of a pair of which one model could not be read.
inline constexpr const char* kFailedVerdict = "error";

// Scores by the paper profile's standardised distance among all models of the set.
// Errors: those of BuildFeatureMatrix.
Result<EvaluationAnswers> AnswerByPaperProfile(const EvaluatedModels& set,
                                               std::span<const EvaluationPair> pairs,
                                               Console& console);

// Verdicts and scores of the full profile; with `deep`, of the test on the weights as well, whose
// -log10 p is then the score. Also looks for the parents of each merge among all other models and
// compares each copy with its twin. Errors: those of CompareFingerprints.
Result<EvaluationAnswers> AnswerByFullProfile(const EvaluatedModels& set,
                                              std::span<const EvaluationPair> pairs, bool deep,
                                              Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_EVALUATE_ANSWERS_H_
