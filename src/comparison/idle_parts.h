// Parts of a model that do nothing, in such numbers as a disguise has and honest models do not.
#ifndef TENSORGUARD_COMPARISON_IDLE_PARTS_H_
#define TENSORGUARD_COMPARISON_IDLE_PARTS_H_

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// Whether many layers have one half that writes nothing beside one that does (layers split in two),
// or every matrix that writes the residual stream leaves the same share of it alone (a stream made
// wider than what anything writes). What such a model computes is hidden from comparisons that look
// at layers as wholes or at the directions that most is read along: that they find nothing proves
// little.
bool HasIdleParts(const Fingerprint& model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_IDLE_PARTS_H_
