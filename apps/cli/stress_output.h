// The grid of `stress` as text and JSON.
#ifndef TENSORGUARD_APPS_CLI_STRESS_OUTPUT_H_
#define TENSORGUARD_APPS_CLI_STRESS_OUTPUT_H_

#include <string>

#include "cli/json_output.h"
#include "transform/stress.h"

namespace tensorguard::cli {

std::string StressToText(const StressReport& report);
OrderedJson StressToJson(const StressReport& report);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_STRESS_OUTPUT_H_
