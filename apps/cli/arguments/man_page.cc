#include "cli/arguments/man_page.h"

#include <fmt/format.h>

namespace tensorguard::internal::cli {
namespace {

// Text as roff shows it unchanged: no letter of it is read as a command.
std::string Roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";  // a minus that can be copied into a shell, not a hyphen
        break;
      case '~':
        escaped += "\\(ti";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '"':
        escaped += "\\(dq";
        break;
      default:
        escaped += c;
    }
  }
  return escaped.starts_with('.') ? "\\&" + escaped : escaped;
}

std::string UpperAscii(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string OptionEntry(const OptionDescription& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += fmt::format("{}\\fB{}\\fR", names.empty() ? "" : ", ", Roff(name));
  }
  if (!option.value.empty()) names += fmt::format(" \\fI{}\\fR", Roff(option.value));
  return fmt::format(".TP\n{}{}\n{}\n", names, option.repeated ? "..." : "", Roff(option.text));
}

std::string ArgumentEntry(const OptionDescription& argument) {
  return fmt::format(".TP\n\\fI{}\\fR{}\n{}\n", Roff(argument.names.front()),
                     argument.repeated ? "..." : "", Roff(argument.text));
}

std::string CommandSection(const ProgramDescription& program, const CommandDescription& command) {
  std::string text =
      fmt::format(".SS \"{}\"\n{}\n", Roff(UsageLine(program, command)), Roff(command.details));
  for (const OptionDescription& argument : command.arguments) text += ArgumentEntry(argument);
  for (const OptionDescription& option : command.options) text += OptionEntry(option);
  return text;
}

std::string Examples(const ProgramDescription& program) {
  std::string text;
  for (const CommandDescription& command : program.commands) {
    for (const Example& example : command.examples) {
      text += fmt::format(".PP\n.EX\n\\fB{}\\fR\n.EE\n.RS 4\n{}\n.RE\n", Roff(example.command),
                          Roff(example.text));
    }
  }
  return text;
}

}  // namespace

std::string ManPage(const ProgramDescription& program) {
  const std::string name = Roff(program.name);
  std::string text = fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n",
                                 UpperAscii(program.name), name, program.version);
  text += ".nh\n.ad l\n";  // commands must not be hyphenated or stretched
  text += fmt::format(".SH NAME\n{} \\- {}\n", name, Roff(program.summary));
  text += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...\n", name);
  text += ".SH COMMANDS\n";
  for (const CommandDescription& command : program.commands) {
    text += CommandSection(program, command);
  }
  text += ".SH OPTIONS\n";
  for (const OptionDescription& option : program.options) text += OptionEntry(option);
  for (const Section& section : program.sections) {
    text += fmt::format(".SH \"{}\"\n{}\n", UpperAscii(section.title), Roff(section.text));
  }
  return text + ".SH EXAMPLES\n" + Examples(program);
}

}  // namespace tensorguard::internal::cli
