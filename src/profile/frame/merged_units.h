// Units of a feed-forward that read the same are one unit, however many stand for it.
#ifndef TENSORGUARD_PROFILE_FRAME_MERGED_UNITS_H_
#define TENSORGUARD_PROFILE_FRAME_MERGED_UNITS_H_

#include <optional>

#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// As the projections of part_forms.h, a column for each unit.
struct MergedUnits {
  FloatMatrix gate;  // empty without a gate
  FloatMatrix up;
  FloatMatrix down;
};

// Of units with one gate and one up (but for its scale and sign) the first, which writes what they
// write together: nothing, where they cancel. So that units that were split, or that were added in
// pairs that cancel, change nothing. `gate` is null where there is none: then the scale and sign of
// up must agree, too. Empty where no two units read the same,
// and along less than eight directions, where that is chance.
std::optional<MergedUnits> MergeUnits(const FloatMatrix* gate, const FloatMatrix& up,
                                      const FloatMatrix& down);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_FRAME_MERGED_UNITS_H_
