// What a model lacks, told without reading all of its weights.
#ifndef TENSORGUARD_API_INSPECTION_MISSING_OF_MODEL_H_
#define TENSORGUARD_API_INSPECTION_MISSING_OF_MODEL_H_

#include <vector>

#include "model/model.h"
#include "network/missing_parts.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Parts that the config or the other layers show to be missing, then those whose matrices are
// zeros: some numbers of each matrix are read, all over it, until one is none. Of a model that
// lies elsewhere no numbers are read. Errors: those of Network::Build, where it cannot be told what
// belongs to the model; those of reading.
Result<std::vector<MissingPart>> WhatIsMissing(const Model& model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_INSPECTION_MISSING_OF_MODEL_H_
