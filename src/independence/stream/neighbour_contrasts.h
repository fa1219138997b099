// Are the units at the same positions of two networks more alike than units that change places?
#ifndef TENSORGUARD_INDEPENDENCE_STREAM_NEIGHBOUR_CONTRASTS_H_
#define TENSORGUARD_INDEPENDENCE_STREAM_NEIGHBOUR_CONTRASTS_H_

#include <vector>

#include "independence/units/feed_forward_units.h"

namespace tensorguard::internal {

struct NeighbourContrast {
  double value = 0.0;
  double largest = 0.0;  // the value if the differences below pointed the same way; not negative
};

// One for each two neighbouring hidden units (2k, 2k + 1): with u and v the unit's rows in the two
// networks, of the gate, up and down at unit length,
//   sum over matrices of (u_2k - u_2k+1) . (v_2k - v_2k+1),
// that is, how much more alike the units are in place than exchanged. Exchanging the two units in
// one network changes its sign and nothing else. Networks that start from independent random
// weights whose units are exchangeable, and are trained by steps that treat units alike (SGD,
// Adam), are as likely with the two exchanged (Zhu et al. 2025, Theorem 1): then the signs are fair
// and independent coins, given all magnitudes.
//
// Of different widths, the leading units and coordinates that both have. Zero where a difference
// vanishes. (That the mean unit is taken out, WithoutMeanUnit, changes with no exchange.)
std::vector<NeighbourContrast> NeighbourContrasts(const UnitVectors& a, const UnitVectors& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STREAM_NEIGHBOUR_CONTRASTS_H_
