// A decoder back as named tensors: in memory, and as a folder.
#ifndef TENSORGUARD_TRANSFORM_DECODER_MODEL_H_
#define TENSORGUARD_TRANSFORM_DECODER_MODEL_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

struct NamedTensor {
  std::string name = {};
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape = {};
  std::vector<float> values = {};  // row-major
};

enum class Precision {
  kAsStored,  // rounded to the type that each tensor was read from
  kFloat32,
};

// Sorted by name, under the names of decoder.name_scheme. Every value fits its type: what is too
// large for it becomes the largest.
std::vector<NamedTensor> TensorsOf(const Decoder& decoder, Precision precision);

// The config with all sizes as they are now.
Json ConfigOf(const Decoder& decoder);

// The decoder as a model in memory, which needs it no longer.
Model ModelInMemory(const Decoder& decoder, Precision precision);

// Writes model.safetensors, config.json and the tokenizer's files to `folder`, which is made if it
// is not there. `dtype`: of all tensors; empty: as they were read. Errors: kUsage if the folder
// holds a model already; those of SafetensorsWriter and WriteFileAtomically.
Result<void> WriteDecoder(const Decoder& decoder, const std::filesystem::path& folder,
                          std::optional<DType> dtype = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_DECODER_MODEL_H_
