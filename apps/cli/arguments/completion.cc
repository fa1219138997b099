#include "cli/arguments/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/arguments/usage.h"

namespace tensorguard::internal::cli {
namespace {

std::string JoinedCommands(const ProgramDescription& program, std::string_view separator) {
  return fmt::format("{}", fmt::join(CommandNames(program), separator));
}

std::string OptionNames(const std::vector<OptionDescription>& options) {
  std::vector<std::string> names;
  for (const OptionDescription& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return fmt::format("{}", fmt::join(names, " "));
}

std::string Words(const OptionDescription& option) {
  return fmt::format("{}", fmt::join(ChoicesOf(option), " "));
}

// --- bash. Where nothing is offered, bash completes file names ("-o default").

// Offers the values of options that list them, and file names after any other option with a value.
std::string BashValues(const CommandDescription& command) {
  std::string text;
  for (const OptionDescription& option : command.options) {
    if (option.value.empty()) continue;
    std::vector<std::string> patterns;
    for (const std::string& name : option.names) {
      patterns.push_back(fmt::format("\"{} {}\"", command.name, name));
    }
    text += fmt::format("    {}) words=\"{}\"; offered=1 ;;\n", fmt::join(patterns, "|"),
                        Words(option));
  }
  return text;
}

std::string BashCompletion(const ProgramDescription& program) {
  std::string values;
  std::string options;
  std::string arguments;
  for (const CommandDescription& command : program.commands) {
    values += BashValues(command);
    options +=
        fmt::format("      {}) words=\"{}\" ;;\n", command.name, OptionNames(command.options));
    for (const OptionDescription& argument : command.arguments) {
      if (ChoicesOf(argument).empty()) continue;
      arguments += fmt::format("      {}) words=\"{}\" ;;\n", command.name, Words(argument));
    }
  }
  return fmt::format(R"(# bash completion for {0}
_{0}() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local command="" words="" offered="" word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$word" in
      {1}) command="$word"; break ;;
    esac
  done
  case "$command $previous" in
{2}  esac
  if [[ -z "$offered" && "$current" == -* ]]; then
    case "$command" in
      "") words="{3}" ;;
{4}    esac
  elif [[ -z "$offered" ]]; then
    case "$command" in
      "") words="{5}" ;;
{6}    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _{0} {0}
)",
                     program.name, JoinedCommands(program, "|"), values,
                     OptionNames(program.options), options, JoinedCommands(program, " "),
                     arguments);
}

// --- zsh.

// For use between single quotes, in the part of an _arguments specification that `special` ends.
std::string ZshText(std::string_view text, std::string_view special) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
      continue;
    }
    if (special.find(c) != special.npos) quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string ZshValue(const OptionDescription& option) {
  const std::string choices = Words(option);
  if (!choices.empty()) return fmt::format(":value:({})", choices);
  return fmt::format(":{}:{}", ZshText(option.value, ":"), TakesPath(option) ? "_files" : " ");
}

std::string ZshCommand(const CommandDescription& command) {
  std::string text = fmt::format("    {})\n      _arguments", command.name);
  for (const OptionDescription& option : command.options) {
    const std::string what = fmt::format("[{}]{}", ZshText(option.text, "[]:"),
                                         option.value.empty() ? "" : ZshValue(option));
    if (option.names.size() == 1) {
      text += fmt::format(" \\\n        '{}{}'", option.names.front(), what);
    } else {
      text += fmt::format(" \\\n        '({})'{{{}}}'{}'", fmt::join(option.names, " "),
                          fmt::join(option.names, ","), what);
    }
  }
  for (const OptionDescription& argument : command.arguments) {
    text += fmt::format(" \\\n        '{}{}'", argument.repeated ? "*" : "", ZshValue(argument));
  }
  return text + " ;;\n";
}

std::string ZshCompletion(const ProgramDescription& program) {
  std::string commands;
  std::string cases;
  for (const CommandDescription& command : program.commands) {
    commands += fmt::format("    '{}:{}'\n", command.name, ZshText(command.summary, ":"));
    cases += ZshCommand(command);
  }
  return fmt::format(R"(#compdef {0}
# zsh completion for {0}
_{0}() {{
  local -a commands
  commands=(
{1}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case "$words[1]" in
{2}  esac
}}
if [[ "$funcstack[1]" == "_{0}" ]]; then
  _{0} "$@"
else
  compdef _{0} {0}
fi
)",
                     program.name, commands, cases);
}

// --- fish.

std::string FishText(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string FishOption(const ProgramDescription& program, const CommandDescription& command,
                       const OptionDescription& option) {
  std::string line =
      fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}'", program.name, command.name);
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    line += fmt::format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
  }
  const std::string choices = Words(option);
  if (!choices.empty()) {
    line += fmt::format(" -x -a '{}'", choices);
  } else if (!option.value.empty()) {
    line += TakesPath(option) ? " -r -F" : " -x";
  }
  return line + fmt::format(" -d '{}'\n", FishText(option.text));
}

std::string FishCompletion(const ProgramDescription& program) {
  std::string text = fmt::format("# fish completion for {}\n", program.name);
  for (const CommandDescription& command : program.commands) {
    text += fmt::format("complete -c {} -n __fish_use_subcommand -f -a {} -d '{}'\n", program.name,
                        command.name, FishText(command.summary));
  }
  for (const CommandDescription& command : program.commands) {
    for (const OptionDescription& option : command.options) {
      text += FishOption(program, command, option);
    }
    for (const OptionDescription& argument : command.arguments) {
      if (ChoicesOf(argument).empty()) continue;
      text += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}' -f -a '{}'\n",
                          program.name, command.name, Words(argument));
    }
  }
  return text;
}

}  // namespace

std::string CompletionScript(const ProgramDescription& program, std::string_view shell) {
  if (shell == "bash") return BashCompletion(program);
  if (shell == "zsh") return ZshCompletion(program);
  return FishCompletion(program);
}

}  // namespace tensorguard::internal::cli
