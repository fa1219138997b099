// What the commands give the use cases of src/api beside their arguments.
#ifndef TENSORGUARD_CLI_COMMANDS_CONSOLE_SESSION_H_
#define TENSORGUARD_CLI_COMMANDS_CONSOLE_SESSION_H_

#include "api/session.h"
#include "cli/output/console.h"

namespace tensorguard::internal::cli {

// The console listens; models are read from the places that the environment sets up, which are made
// when first asked for and shared from then on. `console` must outlive what is given.
Session SessionOf(Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_COMMANDS_CONSOLE_SESSION_H_
