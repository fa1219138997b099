// A comparison by the full profile as text.
#ifndef TENSORGUARD_CLI_OUTPUT_COMPARISON_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_COMPARISON_OUTPUT_H_

#include <string>

#include "api/pair_comparison.h"

namespace tensorguard::internal::cli {

std::string ComparedPairToText(const ComparedPair& pair);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_COMPARISON_OUTPUT_H_
