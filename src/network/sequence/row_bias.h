// What rows that run beside the tokens see of each other, and by what scores.
#ifndef TENSORGUARD_NETWORK_SEQUENCE_ROW_BIAS_H_
#define TENSORGUARD_NETWORK_SEQUENCE_ROW_BIAS_H_

#include <cstdint>
#include <span>

#include "network/stack.h"
#include "network/streams/extra_rows.h"
#include "numerics/float_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// One run of a stack that has extra rows.
struct RowRunOfStack {
  const Stack& stack;
  RowLayout layout = {};
  std::span<const uint32_t> ids = {};
};

// [heads * rows, rows] for a layer whose attention reads `rows`: minus infinity where a row is not
// seen. REQUIRES: the stack has extra rows, the layer attention. Errors: kUnsupported where a table
// that it takes is missing or does not fit; those of ReadWeight.
Result<FloatMatrix> RowBias(const RowRunOfStack& run, const Layer& layer, const FloatMatrix& rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_SEQUENCE_ROW_BIAS_H_
