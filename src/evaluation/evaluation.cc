#include "evaluation/evaluation.h"

#include <algorithm>
#include <cassert>

namespace tensorguard::internal {
namespace {

Ranking RankAnswers(std::span<const EvaluationPair> pairs, std::span<const PairAnswer> answers) {
  std::vector<double> derived;
  std::vector<double> independent;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!answers[i].score) continue;
    (pairs[i].derived ? derived : independent).push_back(*answers[i].score);
  }
  return RankPairs(derived, independent);
}

void AddToKind(const EvaluationPair& pair, const PairAnswer& answer, const Ranking& ranking,
               KindSummary* kind) {
  ++kind->pairs;
  ++kind->verdicts[answer.verdict];
  if (!answer.score) return;
  ++kind->scored;
  kind->lowest_score = std::min(kind->lowest_score.value_or(*answer.score), *answer.score);
  kind->highest_score = std::max(kind->highest_score.value_or(*answer.score), *answer.score);
  const bool above_all =
      !ranking.highest_independent || *answer.score > *ranking.highest_independent;
  if (pair.derived && above_all) ++kind->found;
}

// The base with the highest score; empty if one of the scores is missing. The first of equal ones
// that is not the root wins, so that a tie counts as wrong.
std::optional<size_t> NearestBase(size_t model, size_t root, std::span<const EvaluationPair> pairs,
                                  std::span<const PairAnswer> answers) {
  std::optional<size_t> nearest;
  double highest = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].model != model) continue;
    if (!answers[i].score) return {};
    const bool wins = !nearest || *answers[i].score > highest ||
                      (*answers[i].score == highest && *nearest == root);
    if (!wins) continue;
    nearest = pairs[i].base;
    highest = *answers[i].score;
  }
  return nearest;
}

size_t IndexOf(const std::string& name, std::span<const TruthModel> models) {
  const auto found = std::find_if(models.begin(), models.end(),
                                  [&](const TruthModel& model) { return model.name == name; });
  assert(found != models.end());
  return static_cast<size_t>(found - models.begin());
}

void AskNearestBases(std::span<const TruthModel> models, std::span<const EvaluationPair> pairs,
                     std::span<const PairAnswer> answers, Evaluation* evaluation) {
  for (size_t m = 0; m < models.size(); ++m) {
    if (models[m].relation != Relation::kDerived) continue;
    const size_t root = IndexOf(models[m].root, models);
    const auto nearest = NearestBase(m, root, pairs, answers);
    if (!nearest) continue;
    ++evaluation->nearest_base_asked;
    if (*nearest == root) {
      ++evaluation->nearest_base_right;
    } else {
      evaluation->nearest_base_wrong.push_back(models[m].name);
    }
  }
}

}  // namespace

std::vector<EvaluationPair> PairsToEvaluate(std::span<const TruthModel> models) {
  std::vector<EvaluationPair> pairs;
  for (size_t m = 0; m < models.size(); ++m) {
    for (size_t b = 0; b < models.size(); ++b) {
      if (b == m || models[b].relation != Relation::kBase) continue;
      if (models[m].relation == Relation::kBase && b < m) continue;
      const bool own_root = models[m].root == models[b].name;
      pairs.push_back({.model = m,
                       .base = b,
                       .derived = own_root && models[m].relation == Relation::kDerived,
                       .kind = own_root ? models[m].kind : "unrelated"});
    }
  }
  return pairs;
}

Evaluation Evaluate(std::span<const TruthModel> models, std::span<const EvaluationPair> pairs,
                    std::span<const PairAnswer> answers) {
  assert(pairs.size() == answers.size());
  Evaluation evaluation = {.ranking = RankAnswers(pairs, answers)};
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!answers[i].score) ++evaluation.unscored;
    const char* truth = pairs[i].derived ? "derived" : "independent";
    ++evaluation.confusion[truth][answers[i].verdict];
    AddToKind(pairs[i], answers[i], evaluation.ranking, &evaluation.kinds[pairs[i].kind]);
  }
  AskNearestBases(models, pairs, answers, &evaluation);
  return evaluation;
}

}  // namespace tensorguard::internal
