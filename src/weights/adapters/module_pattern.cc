#include "weights/adapters/module_pattern.h"

#include <fmt/format.h>

#include <algorithm>

namespace tensorguard::internal {
namespace {

constexpr size_t kLongestPattern = 1024;

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

}  // namespace

Result<ModulePattern> ModulePattern::Compile(std::string_view text, Extent extent) {
  if (text.size() > kLongestPattern) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "module pattern is too long",
                 .found = fmt::format("{} bytes", text.size()),
                 .expected = fmt::format("at most {}", kLongestPattern)};
  }
  ModulePattern pattern;
  pattern.text_ = text;
  pattern.extent_ = extent;
  if (IsPlain(text)) return pattern;
  auto regex = NameRegex::Compile(extent == Extent::kTail ? fmt::format("(?:.*\\.)?(?:{})", text)
                                                          : std::string(text));
  if (!regex) return std::move(regex).error();
  pattern.regex_ = *std::move(regex);
  return pattern;
}

bool ModulePattern::Matches(std::string_view module) const {
  if (regex_) return regex_->Matches(module);
  return extent_ == Extent::kTail ? PlainTailMatches(text_, module) : PlainEquals(text_, module);
}

}  // namespace tensorguard::internal
