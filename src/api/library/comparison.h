// Comparisons as the library hands them out.
#ifndef TENSORGUARD_API_LIBRARY_COMPARISON_H_
#define TENSORGUARD_API_LIBRARY_COMPARISON_H_

#include "api/classification.h"
#include "api/pair_comparison.h"
#include "tensorguard/classify.h"
#include "tensorguard/compare.h"

namespace tensorguard::internal {

tensorguard::Comparison PublicComparison(ComparedPair pair);

tensorguard::Classification PublicClassification(ClassifiedModel model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LIBRARY_COMPARISON_H_
