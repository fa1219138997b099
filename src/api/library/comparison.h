// Comparisons as the library hands them out.
#ifndef TENSORGUARD_API_LIBRARY_COMPARISON_H_
#define TENSORGUARD_API_LIBRARY_COMPARISON_H_

#include <span>

#include "api/pair_comparison.h"
#include "families/full_classification.h"
#include "tensorguard/classify.h"
#include "tensorguard/compare.h"

namespace tensorguard::internal {

tensorguard::Comparison PublicComparison(ComparedPair pair);

tensorguard::Classification PublicClassification(const FullClassification& result,
                                                 std::span<const Fingerprint> known);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LIBRARY_COMPARISON_H_
