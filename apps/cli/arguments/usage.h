// Errors in the request itself, and the values that options take.
#ifndef TENSORGUARD_CLI_ARGUMENTS_USAGE_H_
#define TENSORGUARD_CLI_ARGUMENTS_USAGE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments/program_description.h"
#include "tensorguard/error.h"

namespace tensorguard::internal::cli {

inline constexpr std::string_view kProgram = "tensorguard";

// Thrown through CLI11 by the checks of options, caught in ParseCommandLine.
struct UsageProblem {
  Error error;
};

Error UsageError(std::string problem, std::string found = {}, std::string expected = {});

// "tensorguard COMMAND --help".
std::string TryHelp(const std::string& command);

// Expected is the list of `known`, the advice the nearest of them if one is near.
Error NotOneOf(std::string problem, const std::string& found,
               const std::vector<std::string>& known);

// The parts of "A,B,C". Throws UsageProblem if a part is empty.
std::vector<std::string> ListOf(const std::string& option, const std::string& text);

// The verdicts of a --fail-on list, none for "". Throws UsageProblem if one is no verdict.
std::vector<std::string> VerdictList(const std::string& text);

// Throws UsageProblem for the first of `left`, the arguments that no definition took: with the
// nearest known name, if one is near. `command` is empty if none was given.
void CheckAllTaken(const ProgramDescription& program, const std::string& command,
                   const std::vector<std::string>& left);

// The program with these arguments, as a line that a shell takes.
std::string ShellLine(const std::vector<std::string>& arguments);

std::vector<std::string> CommandNames(const ProgramDescription& program);

// Whether `text` is a whole number from `lowest` to `highest`.
bool IsWholeNumber(std::string_view text, unsigned lowest, unsigned highest);

// The number that "64000000", "64MB", "1.5GB" or "64MiB" means. Throws UsageProblem if `text` is
// no size, or is zero.
uint64_t SizeInBytes(const std::string& option, const std::string& text);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_USAGE_H_
