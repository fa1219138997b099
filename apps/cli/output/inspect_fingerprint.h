// What inspect shows of a fingerprint file.
#ifndef TENSORGUARD_CLI_OUTPUT_INSPECT_FINGERPRINT_H_
#define TENSORGUARD_CLI_OUTPUT_INSPECT_FINGERPRINT_H_

#include <string>

#include "cli/commands/commands.h"
#include "cli/output/console.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

// Reads the file and prints what model it is of, and what it holds. Errors: those of
// ReadFingerprint.
Result<ExitStatus> InspectFingerprint(const std::string& path, bool list_tensors, Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_OUTPUT_INSPECT_FINGERPRINT_H_
