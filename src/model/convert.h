// A model's weights as one plain safetensors file.
#ifndef TENSORGUARD_MODEL_CONVERT_H_
#define TENSORGUARD_MODEL_CONVERT_H_

#include <filesystem>

#include "safetensors/dtype.h"
#include "tensorguard/progress.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct WeightConversionOptions {
  DType dtype = DType::kF32;  // F32, F16 or BF16; rounded to nearest, ties to even
  ProgressCallback on_progress = {};
};

// Writes every tensor under its name and shape to `output`, which appears when it is complete; it
// may be the file that is read, if the model has no other. Memory: one block of numbers. Errors:
// those of ReadFloat32 and SafetensorsWriter; kUsage if `output` is a folder or a shard of the
// model; kMismatch, naming the tensor, for a number too large for the type. REQUIRES: the dtype is
// one of the three.
Result<void> ConvertWeights(const WeightSource& weights, const std::filesystem::path& output,
                            const WeightConversionOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_CONVERT_H_
