// A GGUF model's tensors as they were before llama.cpp converted them.
#ifndef TENSORGUARD_WEIGHTS_GGUF_GGUF_WEIGHTS_H_
#define TENSORGUARD_WEIGHTS_GGUF_GGUF_WEIGHTS_H_

#include <memory>

#include "formats/gguf/gguf_metadata.h"
#include "tensorguard/result.h"
#include "weights/gguf/gguf_names.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// The architecture of a GGUF model; `stored` are its tensors by llama.cpp's names. Errors:
// kUnsupported, naming it, where llama.cpp's conversion of it is not known here.
Result<const GgufArchitecture*> GgufArchitectureOf(const GgufMetadata& metadata,
                                                   const WeightSource& stored);

// `stored` with Hugging Face's names, and with everything undone that GgufChange lists: kernels of
// rows in another order, or of gains that are off by one, would be those of another model. Errors:
// as GgufArchitectureOf; kUnsupported for a tensor that the architecture is not known to have;
// kBadFile for numbers of heads or experts that do not fit the shapes.
Result<std::shared_ptr<const WeightSource>> UndoGgufConversion(
    std::shared_ptr<const WeightSource> stored, const GgufMetadata& metadata);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_GGUF_GGUF_WEIGHTS_H_
