// How many different values a few numbers have.
#ifndef TENSORGUARD_PROFILE_WEIGHTS_DISTINCT_VALUES_H_
#define TENSORGUARD_PROFILE_WEIGHTS_DISTINCT_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bfloat16.h"

namespace tensorguard::internal {

inline constexpr size_t kMostCounted = 256;

// 0 and -0 are one. REQUIRES: at most kMostCounted numbers, none NaN.
uint64_t DistinctValues(std::span<const float> values);
uint64_t DistinctValues(std::span<const BFloat16> values);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_WEIGHTS_DISTINCT_VALUES_H_
