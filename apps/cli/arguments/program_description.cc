#include "cli/arguments/program_description.h"

#include <fmt/format.h>

#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {

std::vector<std::string> ChoicesOf(const OptionDescription& option) {
  const bool lower_case = !option.value.empty() && option.value[0] >= 'a' && option.value[0] <= 'z';
  if (!lower_case) return {};
  return Split(option.value, '|');
}

bool TakesPath(const OptionDescription& option) {
  for (const std::string_view kind : {"FILE", "DIR", "MODEL", "FINGERPRINT"}) {
    if (option.value.find(kind) != option.value.npos) return true;
  }
  return false;
}

std::string UsageLine(const ProgramDescription& program, const CommandDescription& command) {
  std::string line = fmt::format("{} {} [OPTIONS]", program.name, command.name);
  for (const OptionDescription& argument : command.arguments) {
    line += fmt::format(" {}{}", argument.names.front(), argument.repeated ? "..." : "");
  }
  for (const OptionDescription& option : command.options) {
    if (!option.required) continue;
    line +=
        fmt::format(" {} {}{}", option.names.front(), option.value, option.repeated ? "..." : "");
  }
  return line;
}

}  // namespace tensorguard::internal::cli
