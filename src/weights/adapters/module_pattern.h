// Patterns on module names as PEFT's configs hold them: Python regular expressions, mostly plain
// names.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_MODULE_PATTERN_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_MODULE_PATTERN_H_

#include <optional>
#include <string>
#include <string_view>

#include "tensorguard/result.h"
#include "weights/adapters/name_regex.h"

namespace tensorguard::internal {

// Thread-safe: Matches may be called from any thread.
class ModulePattern {
 public:
  enum class Extent {
    kTail,   // the whole name, or what follows one of its dots: rank_pattern, alpha_pattern
    kWhole,  // the whole name: feedforward_modules
  };

  // Errors: those of NameRegex::Compile; kUnsupported if `text` is too long.
  static Result<ModulePattern> Compile(std::string_view text, Extent extent);

  bool Matches(std::string_view module) const;

  // Steps that matching takes per byte of the name.
  size_t cost() const { return regex_ ? regex_->program_size() : 1; }

 private:
  std::string text_;
  Extent extent_ = Extent::kTail;
  std::optional<NameRegex> regex_;  // empty if `text_` is a plain name, its dots any character
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_MODULE_PATTERN_H_
