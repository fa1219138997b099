// AWQ as AutoAWQ packs it.
#ifndef TENSORGUARD_WEIGHTS_AWQ_H_
#define TENSORGUARD_WEIGHTS_AWQ_H_

#include <optional>
#include <string>

#include "base/result.h"
#include "weights/quantisation_scheme.h"

namespace tensorguard {

struct AwqParts {
  std::string module;
  size_t codes;  // qweight
  size_t scales;
  std::optional<size_t> zeros;  // qzeros
};

// Errors: those of ReadScheme.
Result<std::optional<QuantisedTensor>> ReadAwq(const SchemeInput& input, const AwqParts& parts,
                                               const MatrixShape& codes, const MatrixShape& scales);

}  // namespace tensorguard

#endif  // TENSORGUARD_WEIGHTS_AWQ_H_
