// What `tensorguard evaluate` prints.
#ifndef TENSORGUARD_CLI_OUTPUT_EVALUATE_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_EVALUATE_OUTPUT_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/output/comparison_output.h"
#include "cli/output/json_output.h"
#include "evaluation/evaluation.h"

namespace tensorguard::internal::cli {

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
  std::string profile = {};
  std::vector<TruthModel> models = {};
  std::vector<EvaluationPair> pairs = {};
  std::vector<PairAnswer> answers = {};  // parallel to pairs
  Evaluation evaluation = {};
  std::vector<MergeAnswer> merges = {};  // full profile only
  std::vector<CopyAnswer> copies = {};
};

OrderedJson EvaluationToJson(const EvaluationReport& report);
std::string EvaluationToText(const EvaluationReport& report);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_EVALUATE_OUTPUT_H_
