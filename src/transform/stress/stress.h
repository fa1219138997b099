// The grid of changes: what is still found of a model after each of them.
#ifndef TENSORGUARD_TRANSFORM_STRESS_STRESS_H_
#define TENSORGUARD_TRANSFORM_STRESS_STRESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "comparison/verdict.h"
#include "model/model.h"
#include "tensorguard/progress.h"
#include "tensorguard/result.h"
#include "transform/change.h"

namespace tensorguard::internal {

// Changes that are applied one after the other.
using Combination = std::vector<ChosenChange>;

// "rotate:1+noise:0.1".
std::string NameOf(const Combination& combination);

// How an answer stands to what was done.
enum class StressOutcome {
  kFound,      // a copy of the model, and it says so
  kUndecided,  // a copy, and the answer is inconclusive or a common start
  kMissed,     // a copy, called independent
  kClear,      // not accused of coming from a model that it does not come from
  kAccused,    // accused of it
};

// "found", "undecided", "missed", "clear", "accused".
std::string_view OutcomeName(StressOutcome outcome);

// One changed copy compared with one model in one way.
struct StressCell {
  std::string change = {};    // as NameOf, without strengths; "none" for the model itself
  std::string strength = {};  // "0.5", "0.5+1"; empty where the changes have none
  std::string with = {};      // the second model that the change used; empty: none
  std::string against = {};   // the model that the copy is compared with
  std::string profile = {};   // "full", or "deep" with the test on the weights
  std::optional<double> score = {};
  Verdict verdict = Verdict::kInconclusive;
  std::optional<double> log10_p = {};  // of the test
  // Largest difference of logits, relative to the largest logit, before numbers were rounded to the
  // type that they are stored in; empty where the tokens are another model's.
  std::optional<double> damage = {};
  bool takes_from_other = false;  // parts of `with` that do something in the copy
  StressOutcome outcome = StressOutcome::kFound;
};

struct SkippedChange {
  std::string change;
  std::string reason;
};

struct StressReport {
  std::string model;
  std::vector<std::string> others = {};
  uint64_t seed = 0;
  std::vector<StressCell> cells = {};
  std::vector<SkippedChange> skipped = {};
  std::vector<StressCell> search = {};  // each step of the search, lowest score last
  uint64_t search_tries = 0;
  std::vector<std::string> weakest = {};  // sentences
};

struct StressOptions {
  std::vector<Combination> combinations = {};  // empty: DefaultCombinations()
  bool deep = false;                           // the test on the weights as well
  bool search = false;
  uint64_t seed = 0;
  unsigned threads = 0;  // 0: one per processor
  // `what` is the change under way; bytes are those of the copies made.
  ProgressCallback on_progress = {};
};

// At most this many copies are tried by the search.
inline constexpr uint64_t kMostSearchTries = 100;

// Every change at each strength that stress tries, and a few together.
std::vector<Combination> DefaultCombinations();

// Changes the model in memory and compares each copy with it and with the others. A change that
// needs a second model is made with each of `others`, and left out where there are none; one that
// does not fit the model is in `skipped`. The same for any number of threads. Errors: those of
// ReadDecoder, of the fingerprint, the comparison and the test.
Result<StressReport> StressModel(const Model& model, const std::vector<const Model*>& others,
                                 const StressOptions& options);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_STRESS_STRESS_H_
