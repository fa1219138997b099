// Options that several commands have, and what values an option takes.
#ifndef TENSORGUARD_CLI_ARGUMENTS_OPTION_KINDS_H_
#define TENSORGUARD_CLI_ARGUMENTS_OPTION_KINDS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace tensorguard::internal::cli {

inline constexpr unsigned kMostThreads = 1024;

// Restricts an option to the values that its value name lists, "f32|f16|bf16".
void OneOfItsChoices(CLI::Option* option);
void WholeNumber(CLI::Option* option, unsigned lowest, unsigned highest);
// A number from 0 to 1.
void ShareOfOne(CLI::Option* option);

// A command with its summary of command_texts.h.
CLI::App* AddCommand(CLI::App& app, const std::string& name);

void AddBase(CLI::App* command, std::optional<std::string>& base);
void AddPart(CLI::App* command, std::optional<std::string>& part);
void AddThreads(CLI::App* command, unsigned& threads);
void AddProfile(CLI::App* command, std::string& profile, const std::string& otherwise);
void AddFailOn(CLI::App* command, std::optional<std::string>& verdicts);
void AddIncomplete(CLI::App* command, bool& incomplete);

// A required argument without a name of an option.
void AddPositional(CLI::App* command, const std::string& name, std::string& target,
                   const std::string& text);
void AddPositional(CLI::App* command, const std::string& name, std::vector<std::string>& target,
                   const std::string& text);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_OPTION_KINDS_H_
