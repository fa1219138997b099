// What `tensorguard evaluate` prints.
#ifndef TENSORGUARD_CLI_OUTPUT_EVALUATE_OUTPUT_H_
#define TENSORGUARD_CLI_OUTPUT_EVALUATE_OUTPUT_H_

#include <string>

#include "api/evaluation/evaluation_report.h"

namespace tensorguard::internal::cli {

std::string EvaluationToText(const EvaluationReport& report);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_EVALUATE_OUTPUT_H_
