// The arguments and options of tensorguard registry.
#ifndef TENSORGUARD_CLI_ARGUMENTS_REGISTRY_OPTIONS_H_
#define TENSORGUARD_CLI_ARGUMENTS_REGISTRY_OPTIONS_H_

#include <CLI/CLI.hpp>

#include "cli/arguments/options.h"

namespace tensorguard::internal::cli {

void DefineRegistry(CLI::App& app, RegistryOptions& options);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_REGISTRY_OPTIONS_H_
