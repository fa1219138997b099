// Whether two models hold the same numbers, every one, or the same but for the rounding of the
// types that they are stored in: what no digest of another type and no sketch can say.
#ifndef TENSORGUARD_INDEPENDENCE_NUMBERS_NUMBER_AGREEMENT_H_
#define TENSORGUARD_INDEPENDENCE_NUMBERS_NUMBER_AGREEMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A weight of both models in which numbers differ by more than rounding.
struct DifferentWeight {
  std::string tensor_a;  // raw text from the file
  std::string tensor_b;
  uint64_t numbers = 0;    // of the weight
  uint64_t different = 0;  // by more than rounding
  uint64_t row = 0;        // of the first of them, in the weight as the method means it
  uint64_t column = 0;
  float value_a = 0.0f;
  float value_b = 0.0f;
};

struct NumberAgreement {
  uint64_t weights = 0;  // of either model
  uint64_t numbers = 0;
  uint64_t rounded = 0;  // differ, but not by more than rounding (stored_rounding.h)
  std::vector<DifferentWeight> different = {};  // in the order of a's weights

  bool Same() const { return different.empty() && rounded == 0; }
  bool SameToRounding() const { return different.empty() && rounded > 0; }
};

// Every weight of either model (matrices, tables, vectors, each expert) against the one in the same
// place of the other; a head that repeats the embedding need not be stored in both. Empty where
// some weight has no counterpart of its shape, and where the first numbers of most weights differ
// already: then nothing is read in full, and no statement about numbers helps. The same for any
// number of threads (0: one per processor). Errors: those of ReadWeight.
Result<std::optional<NumberAgreement>> CompareNumbers(const Network& a, const Network& b,
                                                      unsigned threads);

// One or two sentences for a reader.
std::string DescribeNumbers(const NumberAgreement& agreement);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_NUMBERS_NUMBER_AGREEMENT_H_
