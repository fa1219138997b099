#include "transform/stress/stress.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/random_bits.h"
#include "base/try.h"
#include "transform/decoder_model.h"
#include "transform/logits.h"
#include "transform/stress/stress_search.h"
#include "transform/stress/stress_subject.h"
#include "transform/stress/stress_words.h"

namespace tensorguard::internal {
namespace {

// What `text` joins of each change.
template <typename Text>
std::string Joined(const Combination& combination, const Text& text) {
  std::string joined;
  for (const ChosenChange& chosen : combination) {
    if (!joined.empty()) joined += '+';
    joined += text(chosen);
  }
  return joined;
}

std::string StrengthOf(const Combination& combination) {
  const bool any = std::ranges::any_of(
      combination, [](const ChosenChange& chosen) { return !chosen.change->strength.empty(); });
  if (!any) return "";
  return Joined(combination, [](const ChosenChange& chosen) {
    return chosen.change->strength.empty() ? "-" : fmt::format("{}", chosen.strength);
  });
}

SecondModel SecondOf(const Combination& combination) {
  SecondModel second = SecondModel::kNone;
  for (const ChosenChange& chosen : combination) second = std::max(second, chosen.change->second);
  return second;
}

// Layers of the second model that do something; order and sketches forged, layers that write
// nothing, and an embedding alone are no derivation.
bool TakesFromOther(const Combination& combination) {
  return std::ranges::any_of(combination, [](const ChosenChange& chosen) {
    const std::string_view name = chosen.change->name;
    return name == "splice" || name == "merge";
  });
}

class Grid {
 public:
  Grid(const Model& model, const StressOptions& options) : options_(options) {
    report_.model = model.name;
    report_.seed = options.seed;
  }

  Result<StressReport> Fill(const Model& model, const std::vector<const Model*>& others);

 private:
  Result<void> ReadAll(const Model& model, const std::vector<const Model*>& others);
  Result<void> AddUnchanged();
  // `other`: index of the second model; empty: none.
  Result<void> AddCopy(const Combination& combination, std::optional<size_t> other);
  Result<void> AddCells(StressCell cell, const StressSubject& copy, std::optional<size_t> other);
  // `copy`: whether the second is a copy of the first, or has parts of it.
  Result<void> AddAnswers(StressCell cell, const StressSubject& a, const StressSubject& b,
                          bool copy);
  Result<void> Search();
  void Note(const std::string& what);

  const StressOptions& options_;
  StressReport report_;
  std::optional<Decoder> decoder_;
  std::optional<FloatMatrix> logits_;
  std::optional<StressSubject> original_;
  std::vector<Decoder> other_decoders_;
  std::vector<StressSubject> others_;
  std::vector<bool> kin_;  // parallel: the unchanged model and it come from one another
  Progress progress_ = {.what = {}, .bytes_total = 0};
  uint64_t copy_bytes_ = 0;
};

void Grid::Note(const std::string& what) {
  progress_.what = what;
  progress_.bytes_total = std::max(progress_.bytes_total, progress_.bytes_done + copy_bytes_);
  if (options_.on_progress) options_.on_progress(progress_);
  progress_.bytes_done += copy_bytes_;
}

Result<void> Grid::ReadAll(const Model& model, const std::vector<const Model*>& others) {
  TG_ASSIGN(auto decoder, ReadDecoder(model));
  decoder_ = std::move(decoder);
  TG_ASSIGN(auto logits, LogitsOf(*decoder_, options_.seed));
  logits_ = std::move(logits);
  TG_ASSIGN(auto original, MakeSubject(model, options_.deep, options_.threads));
  original_ = std::move(original);
  for (const Model* each : others) {
    TG_ASSIGN(auto other, ReadDecoder(*each));
    TG_ASSIGN(auto subject, MakeSubject(*each, options_.deep, options_.threads));
    other_decoders_.push_back(std::move(other));
    others_.push_back(std::move(subject));
    report_.others.push_back(each->name);
  }
  copy_bytes_ = model.parameter_count() * sizeof(float);
  return {};
}

Result<void> Grid::AddAnswers(StressCell cell, const StressSubject& a, const StressSubject& b,
                              bool copy) {
  const auto add = [&](const char* profile, const SubjectAnswer& answer) {
    cell.profile = profile;
    cell.score = answer.score;
    cell.verdict = answer.verdict;
    cell.log10_p = answer.log10_p;
    if (copy) {
      cell.outcome = IsDerivation(answer.verdict)              ? StressOutcome::kFound
                     : answer.verdict == Verdict::kIndependent ? StressOutcome::kMissed
                                                               : StressOutcome::kUndecided;
    } else {
      cell.outcome = IsDerivation(answer.verdict) ? StressOutcome::kAccused : StressOutcome::kClear;
    }
    report_.cells.push_back(cell);
  };
  TG_ASSIGN(const auto compared, CompareSubjects(a, b));
  add("full", compared);
  if (!options_.deep || a.network == nullptr || b.network == nullptr) return {};
  TG_ASSIGN(const auto tested, TestSubjects(a, b, options_.seed, options_.threads));
  add("deep", tested);
  return {};
}

// How the model stands to the others before anything is done to it: kin before are no victims
// after.
Result<void> Grid::AddUnchanged() {
  for (const StressSubject& other : others_) {
    Note("none");
    TG_ASSIGN(const auto answer, CompareSubjects(*original_, other));
    kin_.push_back(IsDerivation(answer.verdict));
    const StressCell cell = {.change = "none", .against = other.model.name, .damage = 0.0};
    if (auto added = AddAnswers(cell, *original_, other, kin_.back()); !added) return added;
  }
  return {};
}

Result<void> Grid::AddCells(StressCell cell, const StressSubject& copy,
                            std::optional<size_t> other) {
  const bool takes = cell.takes_from_other;
  cell.against = report_.model;
  cell.takes_from_other = false;
  if (auto added = AddAnswers(cell, *original_, copy, true); !added) return added;
  for (size_t i = 0; i < others_.size(); ++i) {
    cell.against = others_[i].model.name;
    cell.takes_from_other = takes && other == i;
    const bool related = cell.takes_from_other || kin_[i];
    if (auto added = AddAnswers(cell, others_[i], copy, related); !added) return added;
  }
  return {};
}

Result<void> Grid::AddCopy(const Combination& combination, std::optional<size_t> other) {
  Note(NameOf(combination));
  Decoder changed = *decoder_;
  const Decoder* second = other ? &other_decoders_[*other] : nullptr;
  for (size_t i = 0; i < combination.size(); ++i) {
    const uint64_t seed = RandomBits(options_.seed, i);
    if (auto applied = ApplyChange(combination[i], seed, second, changed); !applied) {
      const Error& error = applied.error();
      const bool misfit =
          error.kind == ErrorKind::kUnsupported || error.kind == ErrorKind::kMismatch;
      if (!misfit) return error;
      report_.skipped.push_back(
          {NameOf(combination), fmt::format("{}: {}", error.problem, error.found)});
      return {};
    }
  }
  StressCell cell = {
      .change = Joined(combination,
                       [](const ChosenChange& chosen) { return std::string(chosen.change->name); }),
      .strength = StrengthOf(combination),
      .with = other ? others_[*other].model.name : "",
      .takes_from_other = other.has_value() && TakesFromOther(combination)};
  TG_ASSIGN(const auto logits, LogitsOf(changed, options_.seed));
  if (logits && logits_) cell.damage = LogitDifference(*logits_, *logits);
  auto copy =
      MakeSubject(ModelInMemory(changed, Precision::kAsStored), options_.deep, options_.threads);
  if (!copy) {
    // What cannot be read is not found: an answer too, and no reason to stop.
    report_.skipped.push_back(
        {NameOf(combination), fmt::format("the copy is refused: {}", copy.error().problem)});
    return {};
  }
  return AddCells(std::move(cell), *copy, other);
}

Result<void> Grid::Search() {
  auto found = SearchCombination(*decoder_, *logits_, *original_,
                                 {.seed = options_.seed,
                                  .threads = options_.threads,
                                  .on_try = [&](const std::string& what) { Note(what); }});
  if (!found) return std::move(found).error();
  report_.search = std::move(found->steps);
  report_.search_tries = found->tries;
  return {};
}

Result<StressReport> Grid::Fill(const Model& model, const std::vector<const Model*>& others) {
  const std::vector<Combination> combinations =
      options_.combinations.empty() ? DefaultCombinations() : options_.combinations;
  TG_TRY(ReadAll(model, others));
  progress_.bytes_total =
      copy_bytes_ * (combinations.size() + (options_.search ? kMostSearchTries : 0));
  TG_TRY(AddUnchanged());
  for (const Combination& combination : combinations) {
    const SecondModel second = SecondOf(combination);
    if (second == SecondModel::kNeeded && others_.empty()) {
      report_.skipped.push_back({NameOf(combination), "needs a second model"});
      continue;
    }
    if (second != SecondModel::kNeeded) {
      TG_TRY(AddCopy(combination, {}));
    }
    if (second == SecondModel::kNone) continue;
    for (size_t other = 0; other < others_.size(); ++other) {
      TG_TRY(AddCopy(combination, other));
    }
  }
  if (options_.search && logits_) {
    TG_TRY(Search());
  }
  report_.weakest = WeakestSpots(report_);
  return std::move(report_);
}

Combination Named(std::string_view text) {
  auto parsed = ParseChanges(text);
  return *std::move(parsed);
}

}  // namespace

std::string NameOf(const Combination& combination) {
  return Joined(combination, [](const ChosenChange& chosen) {
    return chosen.change->strength.empty()
               ? std::string(chosen.change->name)
               : fmt::format("{}:{}", chosen.change->name, chosen.strength);
  });
}

std::string_view OutcomeName(StressOutcome outcome) {
  switch (outcome) {
    case StressOutcome::kFound:
      return "found";
    case StressOutcome::kUndecided:
      return "undecided";
    case StressOutcome::kMissed:
      return "missed";
    case StressOutcome::kClear:
      return "clear";
    case StressOutcome::kAccused:
      return "accused";
  }
  return "";
}

std::vector<Combination> DefaultCombinations() {
  std::vector<Combination> all;
  for (const Change& change : AllChanges()) {
    for (const double strength : change.strengths) all.push_back({{&change, strength}});
  }
  for (const std::string_view text :
       {"rotate,rescale,regain,value-basis", "permute,rescale,private-tokenizer",
        "rotate,rescale,decoy-rows", "split-layers,permute,rescale",
        "permute,shadow-units,dead-heads", "rotate,rename-tensors", "rotate,noise:0.1",
        "permute,quantise:4"}) {
    all.push_back(Named(text));
  }
  return all;
}

Result<StressReport> StressModel(const Model& model, const std::vector<const Model*>& others,
                                 const StressOptions& options) {
  return Grid(model, options).Fill(model, others);
}

}  // namespace tensorguard::internal
