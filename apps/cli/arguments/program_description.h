// The command line as plain data: what help, completion and the manual page are made from.
#ifndef TENSORGUARD_CLI_ARGUMENTS_PROGRAM_DESCRIPTION_H_
#define TENSORGUARD_CLI_ARGUMENTS_PROGRAM_DESCRIPTION_H_

#include <string>
#include <string_view>
#include <vector>

namespace tensorguard::internal::cli {

struct OptionDescription {
  std::vector<std::string> names = {};  // "-o", "--output"; the name alone for an argument: "MODEL"
  std::string value;                    // "FILE", "f32|f16|bf16"; empty for a flag
  std::string text;
  bool required = false;
  bool repeated = false;
};

struct Example {
  std::string_view command;
  std::string_view text;
};

struct CommandDescription {
  std::string name;
  std::string_view summary;  // one clause, as in a list of commands
  std::string_view details;
  std::vector<OptionDescription> arguments = {};
  std::vector<OptionDescription> options = {};
  std::vector<Example> examples = {};
};

struct Section {
  std::string_view title;
  std::string_view text;
};

struct ProgramDescription {
  std::string_view name;
  std::string_view version;
  std::string_view summary;
  std::vector<OptionDescription> options = {};
  std::vector<CommandDescription> commands = {};
  std::vector<Section> sections = {};
};

// The values that an option offers, of "f32|f16|bf16"; empty where it names a kind, as "FILE".
std::vector<std::string> ChoicesOf(const OptionDescription& option);

// "FILE|DIR" and the like: completed by file names.
bool TakesPath(const OptionDescription& option);

// "tensorguard convert [OPTIONS] MODEL", with what is required spelled out.
std::string UsageLine(const ProgramDescription& program, const CommandDescription& command);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_PROGRAM_DESCRIPTION_H_
