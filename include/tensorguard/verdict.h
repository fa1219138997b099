// What is said of two models.
#ifndef TENSORGUARD_TENSORGUARD_VERDICT_H_
#define TENSORGUARD_TENSORGUARD_VERDICT_H_

#include <string_view>

#include "tensorguard/export.h"

namespace tensorguard {

// docs/verdicts.md says what each rests on.
enum class Verdict {
  kIdentical,        // every weight was compared and is the same, or but for its type's rounding
  kDerived,          // the weights of one come from the other, or both from a common origin
  kReparameterised,  // derived, and the basis of the weights was changed
  kSharedInitialisation,  // the same initial weights, trained apart
  kIndependent,           // what was compared shows no common origin
  kInconclusive,          // the evidence does not decide
};

// "identical", "derived", "reparameterised", "shared-initialisation", "independent",
// "inconclusive".
TENSORGUARD_EXPORT std::string_view VerdictName(Verdict verdict);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_VERDICT_H_
