// AWQ as AutoAWQ packs it.
#ifndef TENSORGUARD_WEIGHTS_QUANTISED_AWQ_H_
#define TENSORGUARD_WEIGHTS_QUANTISED_AWQ_H_

#include <optional>
#include <string>

#include "tensorguard/result.h"
#include "weights/quantised/quantisation_scheme.h"

namespace tensorguard::internal {

struct AwqParts {
  std::string module;
  size_t codes;  // qweight
  size_t scales;
  std::optional<size_t> zeros;  // qzeros
};

// Errors: those of ReadScheme.
Result<std::optional<QuantisedTensor>> ReadAwq(const SchemeInput& input, const AwqParts& parts,
                                               const MatrixShape& codes, const MatrixShape& scales);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_QUANTISED_AWQ_H_
