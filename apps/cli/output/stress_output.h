// The grid of `stress` as text.
#ifndef TENSORGUARD_CLI_OUTPUT_STRESS_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_STRESS_OUTPUT_H_

#include <string>

#include "transform/stress/stress.h"

namespace tensorguard::internal::cli {

std::string StressToText(const StressReport& report);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_STRESS_OUTPUT_H_
