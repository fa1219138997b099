// Answers of the full profile and of the test on the weights.
#include <algorithm>

#include "api/deep_comparison.h"
#include "api/evaluation/evaluation_answers.h"
#include "api/fingerprints.h"
#include "api/merges.h"
#include "base/parallel.h"
#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "independence/deep_verdict.h"

namespace tensorguard::internal {
namespace {

// One entry per model of the set; empty where it could not be read.
using Fingerprints = std::vector<std::optional<Fingerprint>>;

Result<Fingerprints> ReadAll(const EvaluatedModels& set, const Session& session,
                             std::vector<Error>* errors) {
  Fingerprints fingerprints;
  for (const TruthModel& model : set.models) {
    const auto place = PlaceOf(set, model);
    auto fingerprint =
        place ? FingerprintOf(place->path, {.base = place->base, .threads = set.threads}, session)
              : Result<Fingerprint>(place.error());
    if (fingerprint) {
      fingerprint->model_name = model.name;
      fingerprints.emplace_back(*std::move(fingerprint));
    } else if (fingerprint.error().kind == ErrorKind::kCancelled) {
      return std::move(fingerprint).error();
    } else {
      session.listener.ReportError(fingerprint.error());
      errors->push_back(std::move(fingerprint).error());
      fingerprints.emplace_back();
    }
  }
  return fingerprints;
}

Result<PairAnswer> AnswerDeeply(const EvaluatedModels& set, const EvaluationPair& pair,
                                const Fingerprints& fingerprints, const Comparison& comparison,
                                const Session& session) {
  TG_ASSIGN(const auto a, PlaceOf(set, set.models[pair.model]));
  TG_ASSIGN(const auto b, PlaceOf(set, set.models[pair.base]));
  TG_ASSIGN(const auto tested, RunDeepTest({a.path, a.base, *fingerprints[pair.model]},
                                           {b.path, b.base, *fingerprints[pair.base]}, comparison,
                                           set.threads, session));
  const DeepTest& test = tested.test;
  const DeepVerdict judged = JudgeWithTest(comparison, test, tested.gathered.evidence);
  PairAnswer answer = {.verdict = std::string(VerdictName(judged.verdict))};
  if (test.log10_p) answer.score = answer.negative_log10_p = -*test.log10_p;
  return answer;
}

Result<std::vector<PairAnswer>> AnswerPairs(const EvaluatedModels& set,
                                            const Fingerprints& fingerprints,
                                            std::span<const EvaluationPair> pairs, bool deep,
                                            const Session& session) {
  std::vector<PairAnswer> answers(pairs.size());
  std::vector<std::optional<Comparison>> comparisons(pairs.size());
  auto compared = ParallelFor(pairs.size(), set.threads, [&](size_t i) -> Result<void> {
    const auto& a = fingerprints[pairs[i].model];
    const auto& b = fingerprints[pairs[i].base];
    answers[i].verdict = kFailedVerdict;
    if (!a || !b) return {};
    TG_ASSIGN(auto comparison, CompareFingerprints(*a, *b));
    answers[i] = {.score = comparison.score,
                  .verdict = std::string(VerdictName(comparison.verdict))};
    if (deep) comparisons[i] = std::move(comparison);
    return {};
  });
  if (!compared) return std::move(compared).error();
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!comparisons[i]) continue;
    TG_ASSIGN(auto answer, AnswerDeeply(set, pairs[i], fingerprints, *comparisons[i], session));
    answers[i] = std::move(answer);
  }
  return answers;
}

std::vector<MergeAnswer> FindMerges(const EvaluatedModels& set, const Fingerprints& fingerprints) {
  std::vector<MergeAnswer> merges;
  for (size_t m = 0; m < set.models.size(); ++m) {
    const TruthModel& model = set.models[m];
    if (model.parents.size() < 2 || !fingerprints[m]) continue;
    std::vector<const Fingerprint*> others;
    for (size_t other = 0; other < fingerprints.size(); ++other) {
      if (other != m && fingerprints[other]) others.push_back(&*fingerprints[other]);
    }
    merges.push_back({.model = model.name,
                      .true_parents = model.parents,
                      .true_weights = model.weights,
                      .found = FindMerge(*fingerprints[m], others)});
  }
  return merges;
}

Result<std::vector<CopyAnswer>> CompareCopies(const EvaluatedModels& set,
                                              const Fingerprints& fingerprints) {
  std::vector<CopyAnswer> copies;
  for (size_t m = 0; m < set.models.size(); ++m) {
    const TruthModel& model = set.models[m];
    if (!model.merged_equals) continue;
    const auto twin = std::find_if(set.models.begin(), set.models.end(), [&](const auto& each) {
      return each.name == *model.merged_equals;
    });
    const auto& other = fingerprints[static_cast<size_t>(twin - set.models.begin())];
    CopyAnswer copy = {.model = model.name, .twin = twin->name, .verdict = kFailedVerdict};
    if (fingerprints[m] && other) {
      TG_ASSIGN(const auto comparison, CompareFingerprints(*fingerprints[m], *other));
      copy.verdict = VerdictName(comparison.verdict);
    }
    copies.push_back(std::move(copy));
  }
  return copies;
}

}  // namespace

Result<EvaluationAnswers> AnswerByFullProfile(const EvaluatedModels& set,
                                              std::span<const EvaluationPair> pairs, bool deep,
                                              const Session& session) {
  EvaluationAnswers result;
  TG_ASSIGN(const auto read, ReadAll(set, session, &result.errors));
  const Fingerprints& fingerprints = read;
  TG_ASSIGN(auto answers, AnswerPairs(set, fingerprints, pairs, deep, session));
  result.answers = std::move(answers);
  result.merges = FindMerges(set, fingerprints);
  TG_ASSIGN(auto copies, CompareCopies(set, fingerprints));
  result.copies = std::move(copies);
  return result;
}

}  // namespace tensorguard::internal
