// What config.json would say, from a GGUF file's metadata.
#ifndef TENSORGUARD_MODEL_GGUF_CONFIG_H_
#define TENSORGUARD_MODEL_GGUF_CONFIG_H_

#include "base/json.h"
#include "formats/gguf/gguf_metadata.h"
#include "weights/gguf/gguf_names.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// model_type, layers, heads and their size, the norms' epsilon, the rotary base and the activation;
// whether the head is tied follows from `weights`, which have Hugging Face's names. A key that the
// file lacks is left out.
Json GgufConfig(const GgufArchitecture& architecture, const GgufMetadata& metadata,
                const WeightSource& weights);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_GGUF_CONFIG_H_
