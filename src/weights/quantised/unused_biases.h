// Biases that a quantiser adds to layers that have none.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_UNUSED_BIASES_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_UNUSED_BIASES_H_

#include <set>
#include <vector>

#include "tensorguard/result.h"
#include "weights/quantised/quantisation_scheme.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// AutoGPTQ stores a bias of zeros for every layer, whether the model has biases or not. Gives the
// stored biases of quantised layers that are zero in every layer of one name (numbers in names
// aside): left out, they change nothing that the model computes. Reads them. Errors: those of the
// source.
Result<std::set<size_t>> FindUnusedBiases(const WeightSource& stored,
                                          const std::vector<QuantisedTensor>& tensors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_UNUSED_BIASES_H_
