// Regular expressions from files we did not write, matched against names.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_NAME_REGEX_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_NAME_REGEX_H_

#include <bitset>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// The part of Python's syntax that is regular: characters, ".", classes, escapes such as \d and \.,
// groups, "|", "*", "+", "?", "{m,n}", "^" and "$". Matching never backtracks: it takes at most
// program_size() times name length steps and no stack, whatever the pattern.
class NameRegex {
 public:
  // Errors: kBadFile if `pattern` is no regular expression; kUnsupported if it is too long or uses
  // look-around, back references or flags.
  static Result<NameRegex> Compile(std::string_view pattern);

  // Whether the whole of `name` matches, byte by byte.
  bool Matches(std::string_view name) const;

  size_t program_size() const { return program_.size(); }

  // Jumps are relative, so that pieces of a program can be joined as they are.
  struct Instruction {
    enum class Kind { kByte, kSplit, kJump, kAtBegin, kAtEnd, kMatch };
    Kind kind = Kind::kMatch;
    std::bitset<256> bytes = {};  // kByte: those that match
    int first = 0;                // kSplit, kJump
    int second = 0;               // kSplit
  };

 private:
  std::vector<Instruction> program_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_NAME_REGEX_H_
