// What the test on the weights found, beyond its p-value: where the common weights lie, in which
// basis, and how much of them.
#ifndef TENSORGUARD_INDEPENDENCE_INDEPENDENCE_FINDING_H_
#define TENSORGUARD_INDEPENDENCE_INDEPENDENCE_FINDING_H_

#include <cstddef>
#include <vector>

#include "independence/independence.h"

namespace tensorguard::internal {

// The p-value of a part, corrected for the number of ways to ask, from which a common origin is
// decided: the same as for sketches (comparison/thresholds.h). Above kInsignificantLog10P it says
// nothing for one.
inline constexpr double kCommonOriginLog10P = -6;
inline constexpr double kInsignificantLog10P = -4;

// Shares below are of what was looked at in the part that found most; 0 where nothing was.
struct TestFinding {
  bool asked = false;  // at least one part
  // Every way to hide an origin was looked into: same coordinates or different widths, another
  // basis, and attention beside feed-forwards. Only then does silence speak for independence.
  bool asked_in_full = false;
  bool same_shape = false;  // the same width, layers and hidden units

  // The units stand in the order of the other network's...
  bool ordered = false;
  // ... and more alike than any order could make unrelated ones, or found without it as well.
  bool same_positions = false;
  double contrast = 0.0;  // mean cosine of the neighbour contrasts, over all layers

  // Units or heads that were matched without regard to their order.
  bool matched_same_basis = false;
  double share_same_basis = 0.0;
  bool matched_other_basis = false;  // in a map between the residual streams
  double share_other_basis = 0.0;

  // Pairs of layers by how much they share, in the part that decides.
  size_t strong_layers = 0;
  size_t silent_layers = 0;
  size_t compared_layers = 0;
  std::vector<size_t> strong_in_a = {};  // layers, in NetworkDescription::layers
  std::vector<size_t> strong_in_b = {};

  bool SameBasis() const { return same_positions || matched_same_basis; }
  bool AnyOrigin() const { return SameBasis() || matched_other_basis; }
  // Some layers share nearly all and others nothing: parts were copied. A common start, long
  // training and merges leave something everywhere.
  bool InTwoModes() const {
    return strong_layers > 0 && silent_layers > 0 &&
           4 * (strong_layers + silent_layers) >= 3 * compared_layers;
  }
};

// A layer that shares this much is the other's, and one that shares no more than that is not.
inline constexpr double kStrongLayer = 0.5;
inline constexpr double kSilentLayer = 0.1;

TestFinding FindingOf(const DeepTest& test);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_INDEPENDENCE_FINDING_H_
