// GGUF's block types to float32.
#ifndef TENSORGUARD_WEIGHTS_ELEMENTS_GGML_TYPES_H_
#define TENSORGUARD_WEIGHTS_ELEMENTS_GGML_TYPES_H_

#include <cstddef>
#include <span>

#include "safetensors/dtype.h"

namespace tensorguard::internal {

// Decodes whole blocks. The numbers are those of the format's own library (ggml), bit for bit.
// REQUIRES: IsBlockType(dtype), and bytes and out hold the same number of whole blocks.
void DecodeGgmlBlocks(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ELEMENTS_GGML_TYPES_H_
