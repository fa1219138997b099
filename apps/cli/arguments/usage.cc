#include "cli/arguments/usage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

const std::vector<std::string>& VerdictNames() {
  static const std::vector<std::string> kNames = {"identical",       "derived",
                                                  "reparameterised", "shared-initialisation",
                                                  "independent",     "inconclusive"};
  return kNames;
}

std::vector<std::string> LongOptionNames(const ProgramDescription& program,
                                         const std::string& command) {
  const auto known = std::find_if(program.commands.begin(), program.commands.end(),
                                  [&](const auto& each) { return each.name == command; });
  std::vector<std::string> names;
  for (const OptionDescription& option :
       known == program.commands.end() ? program.options : known->options) {
    for (const std::string& name : option.names) {
      if (name.starts_with("--")) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

Error UsageError(std::string problem, std::string found, std::string expected) {
  return {.kind = ErrorKind::kUsage,
          .problem = std::move(problem),
          .found = std::move(found),
          .expected = std::move(expected)};
}

std::string TryHelp(const std::string& command) {
  return fmt::format("{}{}{} --help", kProgram, command.empty() ? "" : " ", command);
}

Error NotOneOf(std::string problem, const std::string& found,
               const std::vector<std::string>& known) {
  Error error =
      UsageError(std::move(problem), found,
                 fmt::format("{}{}", known.size() == 1 ? "" : "one of ", fmt::join(known, ", ")));
  if (const auto nearest = NearestName(found, known)) error.advice = *nearest;
  return error;
}

std::vector<std::string> ListOf(const std::string& option, const std::string& text) {
  std::vector<std::string> parts = Split(text, ',');
  if (std::find(parts.begin(), parts.end(), "") == parts.end()) return parts;
  throw UsageProblem{UsageError(fmt::format("{} has an empty name in its list", option), text,
                                "names separated by single commas")};
}

std::vector<std::string> VerdictList(const std::string& text) {
  std::vector<std::string> verdicts = ListOf("--fail-on", text);
  for (const std::string& verdict : verdicts) {
    const auto& known = VerdictNames();
    if (std::find(known.begin(), known.end(), verdict) != known.end()) continue;
    throw UsageProblem{NotOneOf("--fail-on has no such verdict", verdict, known)};
  }
  return verdicts;
}

void CheckAllTaken(const ProgramDescription& program, const std::string& command,
                   const std::vector<std::string>& left) {
  const auto first =
      std::find_if(left.begin(), left.end(), [](const std::string& each) { return each != "--"; });
  if (first == left.end()) return;
  if (first->size() > 1 && first->front() == '-') {
    Error error = UsageError("no such option", first->substr(0, first->find('=')));
    if (auto nearest = NearestName(error.found, LongOptionNames(program, command))) {
      error.advice = *std::move(nearest);
    }
    throw UsageProblem{std::move(error)};
  }
  if (command.empty()) {
    throw UsageProblem{NotOneOf("no such command", *first, CommandNames(program))};
  }
  throw UsageProblem{UsageError(fmt::format("{} takes no further argument", command), *first)};
}

std::string ShellLine(const std::vector<std::string>& arguments) {
  std::string line(kProgram);
  for (const std::string& argument : arguments) {
    const bool plain =
        !argument.empty() && std::all_of(argument.begin(), argument.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("_./:,=+-@%").find(c) != std::string_view::npos;
        });
    line += ' ';
    if (plain) {
      line += argument;
      continue;
    }
    line += '\'';
    for (const char letter : argument) line += letter == '\'' ? "'\\''" : std::string(1, letter);
    line += '\'';
  }
  return line;
}

std::vector<std::string> CommandNames(const ProgramDescription& program) {
  std::vector<std::string> names;
  for (const CommandDescription& command : program.commands) names.push_back(command.name);
  return names;
}

bool IsWholeNumber(std::string_view text, unsigned lowest, unsigned highest) {
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && number >= lowest && number <= highest;
}

uint64_t SizeInBytes(const std::string& option, const std::string& text) {
  constexpr std::array<std::pair<std::string_view, double>, 9> kUnits = {{{"", 1},
                                                                          {"B", 1},
                                                                          {"KB", 1e3},
                                                                          {"MB", 1e6},
                                                                          {"GB", 1e9},
                                                                          {"TB", 1e12},
                                                                          {"KiB", 0x1p10},
                                                                          {"MiB", 0x1p20},
                                                                          {"GiB", 0x1p30}}};
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const std::string_view unit(read.ptr, end);
  const auto known = std::find_if(kUnits.begin(), kUnits.end(),
                                  [&](const auto& each) { return each.first == unit; });
  constexpr double kMost = 1e18;
  if (read.ec == std::errc() && known != kUnits.end()) {
    const double bytes = number * known->second;
    if (bytes >= 1 && bytes <= kMost) return static_cast<uint64_t>(bytes);
  }
  throw UsageProblem{UsageError(fmt::format("{} needs a size", option), text,
                                "a number of bytes, or one with KB, MB, GB, KiB, MiB or GiB")};
}

}  // namespace tensorguard::internal::cli
