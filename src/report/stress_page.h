// The grid of changes as one self-contained page.
#ifndef TENSORGUARD_REPORT_STRESS_PAGE_H_
#define TENSORGUARD_REPORT_STRESS_PAGE_H_

#include <string>

#include "transform/stress/stress.h"

namespace tensorguard::internal {

// HTML: the weakest spots in words, the grid, the search where there was one, and what was left
// out.
std::string DrawStressPage(const StressReport& report);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REPORT_STRESS_PAGE_H_
