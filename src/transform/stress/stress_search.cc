#include "transform/stress/stress_search.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/random_bits.h"
#include "base/try.h"
#include "transform/decoder_model.h"
#include "transform/logits.h"

namespace tensorguard::internal {
namespace {

// Below this the score's differences are chance.
constexpr double kLeastGain = 0.005;

std::vector<ChosenChange> Candidates() {
  std::vector<ChosenChange> candidates;
  for (const Change& change : AllChanges()) {
    if (change.keeps != Keeps::kFunction || change.second == SecondModel::kNeeded) continue;
    candidates.push_back({&change, *std::ranges::max_element(change.strengths)});
  }
  return candidates;
}

// How near to the truth an answer is; less is better for who hides a copy.
double Nearness(const SubjectAnswer& answer) {
  const double score = answer.score.value_or(0);
  switch (answer.verdict) {
    case Verdict::kIndependent:
      return score;
    case Verdict::kInconclusive:
      return 1 + score;
    case Verdict::kSharedInitialisation:
      return 2 + score;
    default:
      return 3 + score;
  }
}

struct Attempt {
  Decoder decoder;
  SubjectAnswer answer;
  ChosenChange change;
};

class Search {
 public:
  Search(const StressSubject& original, const SearchOptions& options)
      : original_(original), options_(options) {}

  // Empty where the change does not fit or the copy cannot be read.
  Result<std::optional<Attempt>> Try(const Decoder& from, const ChosenChange& change,
                                     uint64_t step) {
    ++tries_;
    if (options_.on_try) options_.on_try(std::string(change.change->name));
    Attempt attempt = {.decoder = from, .answer = {}, .change = change};
    const uint64_t seed = RandomBits(options_.seed, step);
    if (auto applied = ApplyChange(change, seed, nullptr, attempt.decoder); !applied) {
      if (applied.error().kind != ErrorKind::kUnsupported) return applied.error();
      return std::optional<Attempt>();
    }
    const auto copy = MakeSubject(ModelInMemory(attempt.decoder, Precision::kAsStored),
                                  /*with_network=*/false, options_.threads);
    if (!copy) return std::optional<Attempt>();
    TG_ASSIGN(auto answer, CompareSubjects(original_, *copy));
    attempt.answer = std::move(answer);
    return std::optional(std::move(attempt));
  }

  uint64_t tries() const { return tries_; }

 private:
  const StressSubject& original_;
  const SearchOptions& options_;
  uint64_t tries_ = 0;
};

StressCell CellOf(const Attempt& attempt, const Combination& combination,
                  const StressSubject& original, std::optional<double> damage) {
  return {.change = NameOf(combination),
          .against = original.model.name,
          .profile = "full",
          .score = attempt.answer.score,
          .verdict = attempt.answer.verdict,
          .damage = damage};
}

}  // namespace

Result<SearchResult> SearchCombination(const Decoder& decoder, const FloatMatrix& logits,
                                       const StressSubject& original,
                                       const SearchOptions& options) {
  Search search(original, options);
  SearchResult result;
  Combination combination;
  std::vector<ChosenChange> left = Candidates();
  Decoder best_decoder = decoder;
  double best = 5;
  while (!left.empty()) {
    std::optional<Attempt> chosen;
    for (const ChosenChange& candidate : left) {
      if (search.tries() >= kMostSearchTries) break;
      TG_ASSIGN(auto attempt, search.Try(best_decoder, candidate, combination.size()));
      if (!attempt) continue;
      const bool better = !chosen || Nearness(attempt->answer) < Nearness(chosen->answer);
      if (better) chosen = *std::move(attempt);
    }
    if (!chosen || Nearness(chosen->answer) > best - kLeastGain) break;
    best = Nearness(chosen->answer);
    combination.push_back(chosen->change);
    std::erase_if(left,
                  [&](const ChosenChange& each) { return each.change == chosen->change.change; });
    TG_ASSIGN(const auto after, LogitsOf(chosen->decoder, options.seed));
    std::optional<double> damage;
    if (after) damage = LogitDifference(logits, *after);
    result.steps.push_back(CellOf(*chosen, combination, original, damage));
    best_decoder = std::move(chosen->decoder);
    if (search.tries() >= kMostSearchTries) break;
  }
  result.tries = search.tries();
  return result;
}

}  // namespace tensorguard::internal
