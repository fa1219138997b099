// Verdicts on a folder of models whose ancestry is known, held against the truth.
#ifndef TENSORGUARD_API_EVALUATION_EVALUATION_REPORT_H_
#define TENSORGUARD_API_EVALUATION_EVALUATION_REPORT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/merges.h"
#include "api/session.h"
#include "evaluation/evaluation.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

enum class EvaluatedProfile {
  kFull,
  kDeep,  // full, with the test on the weights
  kPaper,
};

// As in JSON output: "full", "deep" or "paper".
std::string_view EvaluatedProfileName(EvaluatedProfile profile);

struct EvaluationRequest {
  std::string truth;  // the file, beside which the models lie; or a list of pairs
  EvaluatedProfile profile = EvaluatedProfile::kFull;
  // Of a list of pairs: the most that is read of each model's tensors, and the folder where answers
  // are kept.
  std::optional<uint64_t> quick_bytes = {};
  std::optional<std::string> keep = {};
  unsigned threads = 0;  // 0: one per processor
};

// A merge whose parents were looked for among all other models.
struct MergeAnswer {
  std::string model = {};
  std::vector<std::string> true_parents = {};
  std::vector<double> true_weights = {};  // empty where the truth states none
  std::optional<NamedMerge> found = {};
};

// A model that must be a copy of another.
struct CopyAnswer {
  std::string model = {};
  std::string twin = {};
  std::string verdict = {};
};

struct EvaluationReport {
  EvaluatedProfile profile = EvaluatedProfile::kFull;
  std::vector<TruthModel> models = {};
  std::vector<EvaluationPair> pairs = {};
  std::vector<PairAnswer> answers = {};  // parallel to pairs
  Evaluation evaluation = {};
  std::vector<MergeAnswer> merges = {};  // full profile only
  std::vector<CopyAnswer> copies = {};
  std::vector<Error> errors = {};  // of models; already reported to the listener
};

// Errors: those of ReadTruth, AnswerByPaperProfile, AnswerByFullProfile and EvaluatePairs; kUsage
// for a budget or a folder to keep answers in without a list of pairs.
Result<EvaluationReport> EvaluateModels(const EvaluationRequest& request, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_EVALUATION_EVALUATION_REPORT_H_
