// Tensors that stand for numbers which lie elsewhere.
#ifndef TENSORGUARD_WEIGHTS_PLACEHOLDERS_H_
#define TENSORGUARD_WEIGHTS_PLACEHOLDERS_H_

#include <span>

#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Errors: kBadFile where no matrix holds a number: trainings whose weights are spread over several
// processors (ZeRO-3) write tensors of no elements in their place.
Result<void> CheckHoldsNumbers(std::span<const TensorInfo> tensors);

// Errors: kBadFile for any tensor of no elements: an adapter has none.
Result<void> CheckNoPlaceholder(std::span<const TensorInfo> tensors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_PLACEHOLDERS_H_
