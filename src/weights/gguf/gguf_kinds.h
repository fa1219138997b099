// GGUF files that hold something else than a model.
#ifndef TENSORGUARD_WEIGHTS_GGUF_GGUF_KINDS_H_
#define TENSORGUARD_WEIGHTS_GGUF_GGUF_KINDS_H_

#include "formats/gguf/gguf_metadata.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Errors: kUnsupported, by what the metadata say the file is, with what to do: an adapter, an
// importance matrix, a control vector, a projector of images or sound.
Result<void> CheckHoldsModel(const GgufMetadata& metadata);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_GGUF_GGUF_KINDS_H_
