// Patterns on module names as PEFT's configs hold them: Python regular expressions, mostly plain
// names.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_MODULE_PATTERN_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_MODULE_PATTERN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "tensorguard/result.h"

namespace re2 {
class RE2;
}

namespace tensorguard::internal {

// Matches by RE2, which never backtracks: its time is linear in the name's length and its memory
// limited, whatever the pattern. Thread-safe: Matches may be called from any thread.
class ModulePattern {
 public:
  enum class Extent {
    kTail,   // the whole name, or what follows one of its dots: rank_pattern, alpha_pattern
    kWhole,  // the whole name: feedforward_modules
  };

  // Errors: kBadFile if `text` is no regular expression; kUnsupported if it is too long or complex,
  // or means something that RE2 has not or reads otherwise than Python does (look-around, back
  // references, flags, POSIX classes).
  // An expression takes at most `most_bytes` of memory; beyond that it is too complex.
  static Result<ModulePattern> Compile(std::string_view text, Extent extent,
                                       size_t most_bytes = kMostBytes);

  // Whether `text` is a name, which takes no more memory than its text.
  static bool IsPlainName(std::string_view text);

  // Takes the largest of RE2's counts, 1000, a few times over.
  static constexpr size_t kMostBytes = 1 << 20;

  bool Matches(std::string_view module) const;

  // A plain name is compared, not searched for.
  bool is_plain() const { return regex_ == nullptr; }

  // Steps that matching may take per byte of the name.
  size_t cost() const;

 private:
  std::string text_;
  Extent extent_ = Extent::kTail;
  std::shared_ptr<const re2::RE2> regex_;  // null if `text` is a plain name, its dots any character
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_MODULE_PATTERN_H_
