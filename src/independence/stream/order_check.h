// Could the order of an unrelated network's units alone make its units look alike in place?
#ifndef TENSORGUARD_INDEPENDENCE_STREAM_ORDER_CHECK_H_
#define TENSORGUARD_INDEPENDENCE_STREAM_ORDER_CHECK_H_

#include <cstdint>

#include "independence/units/unit_reader.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Whoever may choose the order of units puts each where the other network has its nearest. No order
// does better than the nearest unit for each: `elsewhere`. Units with a common origin are much
// nearer than that.
struct OrderCheck {
  uint64_t units = 0;  // sampled
  // Means over sampled units of the sum over gate, up and down of cosines to units of the other
  // network: to the one at the same place, and to the nearest of all others (behind a gate, with
  // the sign of up and down as it suits).
  double in_place = 0.0;
  double elsewhere = 0.0;
};

// in_place over elsewhere that no order of unrelated units reaches: 1.03 to 1.07 in the best of all
// orders, 1.18 where the residual stream was rotated towards the other's as well (width 96, six
// layers; wider models can be turned less far). The same initial weights gave 1.21 at width 96, and
// are expected near 4 at width 2048; narrow ones are confirmed by matched units.
// docs/independence.md#order
inline constexpr double kBeyondAnyOrder = 1.5;
// Fewer sampled units say nothing.
inline constexpr uint64_t kFewestOrderedUnits = 64;

inline bool NoOrderExplains(const OrderCheck& check) {
  return check.units >= kFewestOrderedUnits && check.in_place > 0.0 &&
         check.in_place >= kBeyondAnyOrder * check.elsewhere;
}

// Of evenly spaced units of two blocks of one width; of different numbers of units, the leading
// ones of the longer block are looked at. Errors: those of UnitReader::ReadAll.
// REQUIRES: a.hidden() == b.hidden().
Result<OrderCheck> CheckOrder(const UnitReader& a, const UnitReader& b, unsigned threads);

// Over the units of both.
OrderCheck Pooled(const OrderCheck& first, const OrderCheck& second);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STREAM_ORDER_CHECK_H_
