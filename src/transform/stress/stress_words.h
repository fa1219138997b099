// The grid in words.
#ifndef TENSORGUARD_TRANSFORM_STRESS_STRESS_WORDS_H_
#define TENSORGUARD_TRANSFORM_STRESS_STRESS_WORDS_H_

#include <string>
#include <vector>

#include "transform/stress/stress.h"

namespace tensorguard::internal {

// Sentences, worst first: copies that keep the function and are missed, accusations, what stays
// undecided, then the lowest score that still is found. What was damaged until little is left of
// the function is counted apart.
std::vector<std::string> WeakestSpots(const StressReport& report);

// "rotate:1", "rotate:1+noise:0.1 with birch".
std::string CellName(const StressCell& cell);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_STRESS_STRESS_WORDS_H_
