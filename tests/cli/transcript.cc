#include "tests/cli/transcript.h"

#include <fmt/format.h>

#include <span>
#include <stdexcept>

namespace tensorguard::internal {
namespace {

constexpr std::string_view kAny = "[...]";

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

void DropBlankEnd(std::vector<std::string>& lines) {
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
}

bool MatchesLine(std::string_view line, std::string_view expected) {
  const size_t any = expected.find(kAny);
  if (any == expected.npos) return line == expected;
  if (!line.starts_with(expected.substr(0, any))) return false;
  line.remove_prefix(any);
  expected.remove_prefix(any + kAny.size());
  for (size_t skipped = 0; skipped <= line.size(); ++skipped) {
    if (MatchesLine(line.substr(skipped), expected)) return true;
  }
  return false;
}

bool MatchesAll(std::span<const std::string> lines, std::span<const std::string> expected) {
  if (expected.empty()) return lines.empty();
  if (expected.front() != kAny) {
    return !lines.empty() && MatchesLine(lines.front(), expected.front()) &&
           MatchesAll(lines.subspan(1), expected.subspan(1));
  }
  for (size_t skipped = 0; skipped <= lines.size(); ++skipped) {
    if (MatchesAll(lines.subspan(skipped), expected.subspan(1))) return true;
  }
  return false;
}

}  // namespace

std::vector<TranscriptStep> ParseTranscript(std::string_view text) {
  std::vector<TranscriptStep> steps;
  size_t line_number = 0;
  for (const std::string& line : LinesOf(text)) {
    ++line_number;
    if (line.starts_with("#")) continue;
    if (line.starts_with("$ ")) {
      steps.push_back(
          {.line_number = line_number, .command = line.substr(2), .output = {}, .messages = {}});
    } else if (steps.empty()) {
      if (!line.empty()) throw std::runtime_error(fmt::format("line {}: no command", line_number));
    } else if (line.starts_with("?")) {
      steps.back().status = std::stoi(line.substr(1));
    } else if (line.starts_with("!")) {
      steps.back().messages.push_back(line.size() > 2 ? line.substr(2) : "");
    } else {
      steps.back().output.push_back(line);
    }
  }
  for (TranscriptStep& step : steps) DropBlankEnd(step.output);
  return steps;
}

bool MatchesLines(std::string_view text, const std::vector<std::string>& expected) {
  std::vector<std::string> lines = LinesOf(text);
  DropBlankEnd(lines);
  return MatchesAll(lines, expected);
}

}  // namespace tensorguard::internal
