// Which of two models of one origin came first: a finding of its own, with what it rests on.
#ifndef TENSORGUARD_COMPARISON_DIRECTION_DIRECTION_H_
#define TENSORGUARD_COMPARISON_DIRECTION_DIRECTION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "comparison/findings/finding.h"

namespace tensorguard::internal {

// docs/lineage.md says of each how often it is there and what it is worth.
enum class DirectionSignKind {
  kStoredNarrower,  // the same numbers, rounded to a narrower type
  kOnGrid,          // values on a grid that the other model's do not have
  kZeros,           // numbers put to zero
  kRemoved,         // one direction taken out of what the layers write
  kPadded,          // zeros around the other model's matrices
  kLayersRepeated,  // layers that are copies of one another
  kLayersDropped,   // layers of the other model are missing
  kRowsTrimmed,     // rows of the vocabulary are missing, the others lie elsewhere
  kRowsAdded,       // rows of the vocabulary behind the other model's
  kExpertsOfDense,  // experts that started as copies of one dense block
  kGainsFolded,     // gains that scale nothing, moved into the matrices
  kLowRank,         // the other model and a change of low rank
  kNoise,           // the other model and noise that has nothing to do with it
  kGrowth,          // norms grew by what was added
  kEvenChange,      // the other model times one factor, and something at right angles
};

// "stored_narrower", "on_grid", ...
std::string_view DirectionSignName(DirectionSignKind kind);

// Whether the sign is a step that one of the two took: not how their norms lie.
bool IsStep(DirectionSignKind kind);

struct DirectionSign {
  DirectionSignKind kind = DirectionSignKind::kGrowth;
  Side later = Side::kB;
  double weight = 0;  // natural logarithm of the odds that it is right, positive
  std::string text;   // a sentence; model names in it are raw text from outside
};

struct Direction {
  // The model that was made from the other one, or from what the other one was made into. Set only
  // where the certainty reaches kDirectionTold; two that were trained from a common model have
  // none.
  std::optional<Side> later = {};
  std::optional<Side> leaning = {};  // what the signs together speak for; empty without signs
  double certainty = 0.5;            // of the leaning, in [0.5, 1]
  std::vector<DirectionSign> signs = {};
};

// docs/lineage.md#certainty. A direction is told from this certainty on, if a sign of this weight
// shows it alone and no step was taken on the other side.
inline constexpr double kDirectionTold = 0.95;
inline constexpr double kShowsAlone = 3;

// Of all signs together.
Direction DirectionOf(std::vector<DirectionSign> signs);

// "a_to_b", "b_to_a", "undetermined".
std::string_view DirectionName(const Direction& direction);

// Natural logarithm of the odds that b is the later one, by all signs.
double OddsOfLaterB(const Direction& direction);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_DIRECTION_DIRECTION_H_
