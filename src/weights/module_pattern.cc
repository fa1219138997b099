#include "weights/module_pattern.h"

#include <fmt/format.h>

#include <algorithm>

namespace tensorguard {
namespace {

// With these limits the matcher, which takes pattern length times name length steps and recurses
// no deeper than the pattern has states, stays within milliseconds and a small stack.
constexpr size_t kLongestRegex = 128;
constexpr size_t kLongestPlainPattern = 1024;
constexpr size_t kLongestNameForRegex = 256;

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// A plain pattern against text of the same length: a dot stands for any character.
bool PlainEquals(std::string_view pattern, std::string_view text) {
  return pattern.size() == text.size() &&
         std::equal(pattern.begin(), pattern.end(), text.begin(),
                    [](char p, char t) { return p == '.' || p == t; });
}

bool PlainTailMatches(std::string_view pattern, std::string_view module) {
  if (pattern.size() >= module.size()) return PlainEquals(pattern, module);
  const size_t begin = module.size() - pattern.size();
  return module[begin - 1] == '.' && PlainEquals(pattern, module.substr(begin));
}

bool HasCostlySyntax(std::string_view text) {
  for (size_t at = text.find("(?"); at != text.npos; at = text.find("(?", at + 1)) {
    if (text.substr(at, 3) != "(?:") return true;
  }
  return text.find('{') != text.npos;
}

Error PatternError(ErrorKind kind, std::string problem, std::string_view text) {
  return {.kind = kind, .problem = std::move(problem), .found = std::string(text)};
}

}  // namespace

Result<ModulePattern> ModulePattern::Compile(std::string_view text, Extent extent) {
  ModulePattern pattern;
  pattern.text_ = text;
  pattern.extent_ = extent;
  const bool plain = IsPlain(text);
  const size_t longest = plain ? kLongestPlainPattern : kLongestRegex;
  if (text.size() > longest) {
    Error error = PatternError(ErrorKind::kUnsupported, "module pattern is too long", text);
    error.expected = fmt::format("at most {} bytes", longest);
    return error;
  }
  if (plain) return pattern;
  if (HasCostlySyntax(text)) {
    Error error =
        PatternError(ErrorKind::kUnsupported, "module pattern uses unsupported syntax", text);
    error.expected = "a regular expression without braces and look-around";
    return error;
  }
  try {
    const std::string source =
        extent == Extent::kTail ? fmt::format("(?:.*\\.)?(?:{})", text) : std::string(text);
    // Python's syntax is ECMAScript's in all that is left; the polynomial matcher never backtracks
    // (and refuses back references), so no pattern takes exponential time.
    pattern.regex_.emplace(source, std::regex::ECMAScript | std::regex_constants::__polynomial);
  } catch (const std::regex_error&) {
    return PatternError(ErrorKind::kBadFile, "module pattern is not a valid regular expression",
                        text);
  }
  return pattern;
}

Result<bool> ModulePattern::Matches(std::string_view module) const {
  if (!regex_) {
    return extent_ == Extent::kTail ? PlainTailMatches(text_, module) : PlainEquals(text_, module);
  }
  if (module.size() > kLongestNameForRegex) {
    Error error = PatternError(ErrorKind::kUnsupported,
                               "module name is too long for a regular expression", module);
    error.expected = fmt::format("at most {} bytes", kLongestNameForRegex);
    return error;
  }
  try {
    return std::regex_match(module.begin(), module.end(), *regex_);
  } catch (const std::regex_error&) {
    return PatternError(ErrorKind::kUnsupported, "module pattern is too complex", text_);
  }
}

}  // namespace tensorguard
