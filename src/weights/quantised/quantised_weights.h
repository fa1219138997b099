// A quantised model's tensors as they were before, decoded as they are read.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_QUANTISED_WEIGHTS_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_QUANTISED_WEIGHTS_H_

#include <memory>

#include "tensorguard/result.h"
#include "weights/quantised/quantisation_config.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// `stored` with the tensors, names and shapes of the unquantised model: codes, scales, zero points
// and what else the quantiser keeps become one tensor, which is decoded in tiles of a few MB at
// most. What is read of each scheme, and how numbers are rounded: docs/formats/quantised.md. A
// source without quantised tensors is given back as it is.
//
// Reads a few bytes of some tensors to tell variants apart. Errors: kBadFile, naming the tensor,
// where parts are missing, or shapes, types and config contradict each other; kUnsupported, naming
// the scheme, for one that is not read.
Result<std::shared_ptr<const WeightSource>> DequantiseWeights(
    std::shared_ptr<const WeightSource> stored, const QuantisationConfig& config);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_QUANTISED_WEIGHTS_H_
