// Any readable model as one plain safetensors file.
#ifndef TENSORGUARD_API_CHANGES_CONVERSION_H_
#define TENSORGUARD_API_CHANGES_CONVERSION_H_

#include <cstddef>
#include <optional>
#include <string>

#include "api/session.h"
#include "safetensors/dtype.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ConversionRequest {
  std::string model;
  std::optional<std::string> base = {};  // where the model is an adapter
  std::string output;                    // a file
  DType dtype = DType::kF32;             // F32, F16 or BF16
};

struct ConvertedModel {
  std::string name;
  std::string output;
  size_t tensors = 0;
  std::string dtype;  // "f32", "f16" or "bf16"
};

// Errors: those of CheckBase, OpenWithBase and ConvertWeights.
Result<ConvertedModel> ConvertModel(const ConversionRequest& request, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_CHANGES_CONVERSION_H_
