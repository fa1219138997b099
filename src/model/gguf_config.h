// What config.json would say, from a GGUF file's metadata.
#ifndef TENSORGUARD_MODEL_GGUF_CONFIG_H_
#define TENSORGUARD_MODEL_GGUF_CONFIG_H_

#include "base/json.h"
#include "formats/gguf/gguf_metadata.h"
#include "tensorguard/result.h"
#include "weights/gguf/gguf_names.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// model_type, layers, heads and their size, the norms' epsilon, the rotary base and the activation;
// whether the head is tied follows from `weights`, which have Hugging Face's names. A key that the
// file lacks is left out.
// REQUIRES: CheckGgufNumbers.
Json GgufConfig(const GgufArchitecture& architecture, const GgufMetadata& metadata,
                const WeightSource& weights);

// Of the same keys: those of another kind, negative or absurd counts, a model without layers, and
// numbers that are not finite. Errors: kBadFile with the key.
Result<void> CheckGgufNumbers(const GgufArchitecture& architecture, const GgufMetadata& metadata);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_GGUF_CONFIG_H_
