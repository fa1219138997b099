// Any readable model as one plain safetensors file.
#ifndef TENSORGUARD_TENSORGUARD_CONVERT_H_
#define TENSORGUARD_TENSORGUARD_CONVERT_H_

#include <string>

#include "tensorguard/export.h"
#include "tensorguard/model.h"
#include "tensorguard/result.h"

namespace tensorguard {

enum class NumberType { kFloat32, kFloat16, kBFloat16 };

struct ConvertOptions : ReadOptions {
  NumberType type = NumberType::kFloat32;  // rounded to nearest, ties to even
};

// Writes every tensor under its name and shape, quantised ones decoded, adapters merged. The file
// appears when it is complete. Errors: those of InspectModel; kUsage if `output` is a folder or a
// part of the model; kMismatch, naming the tensor, for a number too large for the type; kSystem.
TENSORGUARD_EXPORT Result<void> ConvertModel(const std::string& model, const std::string& output,
                                             const ConvertOptions& options = {});

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_CONVERT_H_
