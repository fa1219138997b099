// Patterns on module names as PEFT's configs hold them: Python regular expressions, mostly plain
// names.
#ifndef TENSORGUARD_WEIGHTS_MODULE_PATTERN_H_
#define TENSORGUARD_WEIGHTS_MODULE_PATTERN_H_

#include <optional>
#include <regex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tensorguard {

// Thread-safe: Matches may be called from any thread.
class ModulePattern {
 public:
  enum class Extent {
    kTail,   // the whole name, or what follows one of its dots: rank_pattern, alpha_pattern
    kWhole,  // the whole name: feedforward_modules
  };

  // Errors: kBadFile if `text` is no regular expression; kUnsupported if it is too long or uses
  // what could run for long on hostile input: counts in braces, look-around, back references.
  static Result<ModulePattern> Compile(std::string_view text, Extent extent);

  // Errors: kUnsupported if `module` is too long for a regular expression.
  Result<bool> Matches(std::string_view module) const;

  const std::string& text() const { return text_; }

  // Whether matching costs more than a comparison of text.
  bool is_regex() const { return regex_.has_value(); }

 private:
  std::string text_;
  Extent extent_ = Extent::kTail;
  std::optional<std::regex> regex_;  // empty if `text_` is a plain name, its dots any character
};

}  // namespace tensorguard

#endif  // TENSORGUARD_WEIGHTS_MODULE_PATTERN_H_
