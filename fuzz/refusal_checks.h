// What must hold of every error, and how a target says that something does not hold.
#ifndef TENSORGUARD_FUZZ_REFUSAL_CHECKS_H_
#define TENSORGUARD_FUZZ_REFUSAL_CHECKS_H_

#include <cstddef>
#include <cstdlib>

#include "tensorguard/error.h"

namespace tensorguard::internal {

inline void Require(bool property) {
  if (!property) std::abort();
}

// The text goes to a terminal: lines of printable characters.
inline void CheckRefused(const Error& error) {
  Require(!error.problem.empty());
  for (const char c : DescribeError(error)) {
    Require(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  }
}

// The same, of one whose place must lie in the input.
inline void CheckRefused(const Error& error, size_t input_bytes) {
  CheckRefused(error);
  Require(error.byte_offset.value_or(0) <= input_bytes);
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FUZZ_REFUSAL_CHECKS_H_
