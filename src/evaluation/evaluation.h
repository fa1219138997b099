// Verdicts held against the truth.
#ifndef TENSORGUARD_EVALUATION_EVALUATION_H_
#define TENSORGUARD_EVALUATION_EVALUATION_H_

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluation/ranking.h"
#include "evaluation/truth.h"

namespace tensorguard::internal {

// A model and a base that it is compared with; both are indices in the truth.
struct EvaluationPair {
  size_t model = 0;
  size_t base = 0;
  bool derived = false;   // by the truth
  std::string kind = {};  // the model's, where the base is its root; else "unrelated"
};

// Every model against every base but itself; two bases once, in the order of the truth.
std::vector<EvaluationPair> PairsToEvaluate(std::span<const TruthModel> models);

// What the program answered on one pair.
struct PairAnswer {
  std::optional<double> score = {};             // empty: not to be scored (inconclusive)
  std::string verdict = {};                     // of those of `compare`
  std::optional<double> negative_log10_p = {};  // of the deep test
};

struct KindSummary {
  size_t pairs = 0;
  size_t scored = 0;
  std::optional<double> lowest_score = {};
  std::optional<double> highest_score = {};
  size_t found = 0;  // derived pairs strictly above every independent one
  std::map<std::string, size_t> verdicts = {};
};

struct Evaluation {
  Ranking ranking;
  size_t unscored = 0;  // pairs without a score: in no figure of the ranking
  // By the truth ("derived", "independent"), then by verdict.
  std::map<std::string, std::map<std::string, size_t>> confusion = {};
  std::map<std::string, KindSummary> kinds = {};
  // Of the derived models: how many have the highest score with their own root.
  size_t nearest_base_right = 0;
  size_t nearest_base_asked = 0;
  std::vector<std::string> nearest_base_wrong = {};  // names of the models
};

// REQUIRES: one answer per pair, scores finite. A model whose root or any other base could not be
// scored is asked no nearest base.
Evaluation Evaluate(std::span<const TruthModel> models, std::span<const EvaluationPair> pairs,
                    std::span<const PairAnswer> answers);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_EVALUATION_EVALUATION_H_
