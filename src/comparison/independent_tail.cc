#include "comparison/independent_tail.h"

#include <algorithm>
#include <cmath>

#include "comparison/thresholds.h"

namespace tensorguard::internal {

double IndependentTail(double score) {
  return std::min(1.0, std::exp(-(score - kIndependentTailStart) / kIndependentTailScale));
}

double CorrectedForCandidates(double p_value, size_t candidates) {
  return -std::expm1(static_cast<double>(candidates) * std::log1p(-std::min(p_value, 1.0)));
}

}  // namespace tensorguard::internal
