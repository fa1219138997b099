#include "cli/usage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "cli/text_layout.h"

namespace tensorguard::cli {
namespace {

const std::vector<std::string>& VerdictNames() {
  static const std::vector<std::string> kNames = {"identical",       "derived",
                                                  "reparameterised", "shared-initialisation",
                                                  "independent",     "inconclusive"};
  return kNames;
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

bool IsWholeNumber(std::string_view text, unsigned lowest, unsigned highest) {
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && number >= lowest && number <= highest;
}

}  // namespace tensorguard::cli
