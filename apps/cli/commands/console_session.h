// What the commands give the use cases of src/api beside their arguments.
#ifndef TENSORGUARD_CLI_COMMANDS_CONSOLE_SESSION_H_
#define TENSORGUARD_CLI_COMMANDS_CONSOLE_SESSION_H_

#include <optional>
#include <string>

#include "api/session.h"
#include "cli/output/console.h"

namespace tensorguard::internal::cli {

// The console listens; models are read from the places that the environment sets up, which are made
// when first asked for and shared from then on. `console` must outlive what is given.
Session SessionOf(Console& console);

// The same for a command with --part, of one model or of several.
Session SessionOf(Console& console, const std::optional<std::string>& part, bool of_one_model);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_CONSOLE_SESSION_H_
