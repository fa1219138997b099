// Ways of quantising that are known and not read.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_FOREIGN_QUANTISERS_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_FOREIGN_QUANTISERS_H_

#include <optional>

#include "tensorguard/error.h"
#include "weights/quantised/quantisation_config.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// The error for a tensor that only such a scheme has, by its name; empty for any other, and for
// floating-point numbers of a model that is not `quantised`, whose names may mean anything.
std::optional<Error> ForeignCodes(const TensorInfo& tensor, const QuantisationConfig& config,
                                  bool quantised);

// The error for integers where a weight should be: names the scheme that the config states.
Error UnknownCodes(const TensorInfo& tensor, const QuantisationConfig& config);

// Whether integers of this type and name may be packed weights. Buffers of positions, masks and
// tables are not.
bool MayBeCodes(const TensorInfo& tensor);

// Scales of activations and of the key-value cache, which do not concern weights: any of a model
// that is `quantised`, single numbers of one that is not.
bool IsActivationScale(const TensorInfo& tensor, bool quantised);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_FOREIGN_QUANTISERS_H_
