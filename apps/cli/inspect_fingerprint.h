// What inspect shows of a fingerprint file.
#ifndef TENSORGUARD_APPS_CLI_INSPECT_FINGERPRINT_H_
#define TENSORGUARD_APPS_CLI_INSPECT_FINGERPRINT_H_

#include <string>

#include "base/result.h"
#include "cli/commands.h"
#include "cli/console.h"

namespace tensorguard::cli {

// Reads the file and prints what model it is of, and what it holds. Errors: those of
// ReadFingerprint.
Result<ExitStatus> InspectFingerprint(const std::string& path, bool list_tensors, Console& console);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_INSPECT_FINGERPRINT_H_
