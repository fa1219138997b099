#include "weights/adapters/module_pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kLongestPattern = 1024;

// What stands in `text` before an end that a plain pattern matches, a dot with any character of
// UTF-8 but the end of a line; empty where none does.
std::optional<std::string_view> BeforePlainEnd(std::string_view pattern, std::string_view text) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  for (; !pattern.empty(); pattern.remove_suffix(1), text.remove_suffix(1)) {
    if (text.empty()) return {};
    if (pattern.back() == '.' && text.back() != '\n') {
      while (text.size() > 1 && continues(text.back())) text.remove_suffix(1);
    } else if (pattern.back() != text.back()) {
      return {};
    }
  }
  return text;
}

// Goes through a pattern item by item: an escape, or a character.
class PatternItems {
 public:
  explicit PatternItems(std::string_view pattern) : rest_(pattern) {}

  bool AtEnd() const { return rest_.empty(); }
  bool StartsWith(std::string_view text) const { return rest_.starts_with(text); }
  bool in_class() const { return in_class_; }

  std::string_view Take() {
    const size_t length = rest_[0] == '\\' ? std::min<size_t>(2, rest_.size()) : 1;
    const std::string_view item = rest_.substr(0, length);
    rest_.remove_prefix(length);
    // A bracket that closes is an ordinary character at the beginning of a class.
    const bool first = class_items_ == 0 || (class_items_ == 1 && negated_);
    if (!in_class_) {
      in_class_ = item == "[";
      class_items_ = 0;
      negated_ = false;
    } else if (item == "]" && !first) {
      in_class_ = false;
    } else {
      if (class_items_ == 0) negated_ = item == "^";
      ++class_items_;
    }
    return item;
  }

 private:
  std::string_view rest_;
  bool in_class_ = false;
  bool negated_ = false;
  size_t class_items_ = 0;
};

Error Unsupported(std::string_view pattern, std::string what) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = fmt::format("regular expression uses what is not read: {}", what),
          .found = std::string(pattern),
          .expected = "characters, classes, groups, alternatives and counts",
          .advice = "write it in those, or as the names of the modules"};
}

// What RE2 takes, with the same meaning. The two read a few things differently, where each of them
// takes the text: those are refused, but for "{,3}", which RE2 wants as "{0,3}".
Result<std::string> FromPython(std::string_view pattern) {
  std::string translated;
  PatternItems items(pattern);
  while (!items.AtEnd()) {
    const bool in_class = items.in_class();
    if (in_class && items.StartsWith("[:")) return Unsupported(pattern, "[: in a class");
    if (!in_class && items.StartsWith("(?") && !items.StartsWith("(?:") &&
        !items.StartsWith("(?P<")) {
      return Unsupported(pattern, "look-around, flags or comments");
    }
    const bool open_count = !in_class && items.StartsWith("{,");
    const std::string_view item = items.Take();
    const bool escapes_letter = item.size() == 2 && ((item[1] >= 'a' && item[1] <= 'z') ||
                                                     (item[1] >= 'A' && item[1] <= 'Z'));
    if (escapes_letter && std::string_view("dDsSwWbBAabfnrtvx").find(item[1]) == item.npos) {
      return Unsupported(pattern, fmt::format("the escape {}", item));
    }
    translated += item;
    if (open_count) translated += '0';
  }
  return translated;
}

RE2::Options OptionsOfRe2(size_t most_bytes) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<int64_t>(most_bytes));
  return options;
}

Error NoRegex(std::string_view pattern, const RE2& regex) {
  switch (regex.error_code()) {
    case RE2::ErrorBadEscape:
    case RE2::ErrorBadPerlOp:
    case RE2::ErrorRepeatSize:
    case RE2::ErrorPatternTooLarge:
      return Unsupported(pattern, regex.error());
    default:
      return {.problem = fmt::format("not a valid regular expression: {}", regex.error()),
              .found = std::string(pattern)};
  }
}

// The pattern is compiled alone first: a parenthesis of its own could close the group around it.
Result<std::shared_ptr<const RE2>> CompileRegex(std::string_view text, ModulePattern::Extent extent,
                                                size_t most_bytes) {
  TG_ASSIGN(const auto translated, FromPython(text));
  auto regex = std::make_shared<const RE2>(translated, OptionsOfRe2(most_bytes));
  if (!regex->ok()) return NoRegex(text, *regex);
  if (extent == ModulePattern::Extent::kWhole) return regex;
  regex = std::make_shared<const RE2>(fmt::format("(?:.*\\.)?(?:{})", translated),
                                      OptionsOfRe2(most_bytes));
  if (!regex->ok()) return NoRegex(text, *regex);
  return regex;
}

}  // namespace

bool ModulePattern::IsPlainName(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

Result<ModulePattern> ModulePattern::Compile(std::string_view text, Extent extent,
                                             size_t most_bytes) {
  if (text.size() > kLongestPattern) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "module pattern is too long",
                 .found = fmt::format("{} bytes", text.size()),
                 .expected = fmt::format("at most {}", kLongestPattern)};
  }
  ModulePattern pattern;
  pattern.text_ = text;
  pattern.extent_ = extent;
  if (IsPlainName(text)) return pattern;
  TG_ASSIGN(auto regex, CompileRegex(text, extent, most_bytes));
  pattern.regex_ = std::move(regex);
  return pattern;
}

bool ModulePattern::Matches(std::string_view module) const {
  if (regex_) return RE2::FullMatch(module, *regex_);
  const auto before = BeforePlainEnd(text_, module);
  if (!before) return false;
  return before->empty() || (extent_ == Extent::kTail && before->ends_with('.'));
}

size_t ModulePattern::cost() const {
  return regex_ ? static_cast<size_t>(regex_->ProgramSize()) : 1;
}

}  // namespace tensorguard::internal
