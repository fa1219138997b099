// The words of help and manual page; the options' own are in command_line.cc.
#ifndef TENSORGUARD_CLI_ARGUMENTS_COMMAND_TEXTS_H_
#define TENSORGUARD_CLI_ARGUMENTS_COMMAND_TEXTS_H_

#include <string_view>
#include <vector>

#include "cli/arguments/program_description.h"

namespace tensorguard::internal::cli {

struct CommandText {
  std::string_view summary;
  std::string_view details;
  std::vector<Example> examples;
};

// REQUIRES: `command` is a command of the program.
const CommandText& TextOf(std::string_view command);

std::string_view ProgramSummary();

// Models, output and status: what all commands share.
const std::vector<Section>& SharedSections();

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_COMMAND_TEXTS_H_
