#include "cli/arguments/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

constexpr size_t kIndent = 2;
constexpr size_t kTextColumn = 26;

// "  NAME      text", with the text wrapped in its own column.
std::string Entry(const std::string& name, std::string_view text) {
  const std::string wrapped = Wrapped(text, kTextColumn);
  const std::string start = std::string(kIndent, ' ') + name;
  if (DisplayWidth(start) + 2 > kTextColumn) return start + "\n" + wrapped;
  return start + wrapped.substr(DisplayWidth(start));
}

std::string OptionName(const OptionDescription& option) {
  std::string name = fmt::format("{}", fmt::join(option.names, ", "));
  // Long names line up whether or not a short one stands before them.
  if (name.starts_with("--")) name = "    " + name;
  if (!option.value.empty()) name += " " + option.value;
  return option.repeated ? name + "..." : name;
}

std::string OptionList(const std::vector<OptionDescription>& options) {
  std::string text;
  for (const OptionDescription& option : options) text += Entry(OptionName(option), option.text);
  return text;
}

}  // namespace

std::string ProgramHelp(const ProgramDescription& program) {
  std::string text = fmt::format("Usage: {} COMMAND [OPTIONS] ...\n\n", program.name);
  text += Wrapped(program.summary, 0) + "\nCommands:\n";
  for (const CommandDescription& command : program.commands) {
    text += Entry(command.name, command.summary);
  }
  text += "\nOptions:\n" + OptionList(program.options);
  for (const Section& section : program.sections) {
    text += fmt::format("\n{}:\n{}", section.title, Wrapped(section.text, kIndent));
  }
  text +=
      fmt::format("\n\"{} COMMAND --help\" explains a command and shows examples.\n", program.name);
  return text;
}

std::string CommandHelp(const ProgramDescription& program, const CommandDescription& command) {
  std::string text = fmt::format("Usage: {}\n\n", UsageLine(program, command));
  text += Wrapped(command.details, 0);
  if (!command.arguments.empty()) text += "\nArguments:\n";
  for (const OptionDescription& argument : command.arguments) {
    text += Entry(argument.names.front() + (argument.repeated ? "..." : ""), argument.text);
  }
  text += "\nOptions:\n" + OptionList(command.options);
  if (!command.examples.empty()) text += "\nExamples:\n";
  for (const Example& example : command.examples) {
    text += fmt::format("  {}\n{}", example.command, Wrapped(example.text, 6));
  }
  return text;
}

}  // namespace tensorguard::internal::cli
