// Weights whose tensors hold no numbers.
#ifndef TENSORGUARD_NETWORK_PLACEHOLDER_PARTS_H_
#define TENSORGUARD_NETWORK_PLACEHOLDER_PARTS_H_

#include <vector>

#include "model/model.h"
#include "network/missing_parts.h"

namespace tensorguard::internal {

// Tensors of no elements in the place of weights with a known role, as trainings write them whose
// weights are spread over several processors. None or one part, which names the first; how many
// parameters they stand for is not known.
std::vector<MissingPart> FindPlaceholders(const Model& model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_PLACEHOLDER_PARTS_H_
