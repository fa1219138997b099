// The weights of an ONNX model, as they were before the export.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_WEIGHT_SOURCE_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_WEIGHT_SOURCE_H_

#include <filesystem>
#include <memory>

#include "base/file_store.h"
#include "tensorguard/result.h"
#include "weights/onnx/onnx_files.h"
#include "weights/onnx/onnx_reading.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Whether `path` has the name of an ONNX file.
bool IsOnnxName(const std::filesystem::path& path);

// `files` are those of FindWeightFiles: one file, or encoder and decoder, whose tensors get the
// names that they have in one model. What of them is a weight, and under which name:
// FindOnnxWeights. Quantised weights are decoded as they are read and count as floats; those of
// bfloat16 can be read as they are stored. Errors: those of ReadOnnx, OnnxData::Open and
// FindOnnxWeights; kBadFile for a model without weights.
Result<std::shared_ptr<const WeightSource>> OpenOnnxWeights(
    const OnnxFiles& files, const OnnxSource& source = {},
    const FileStorePtr& store = LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_WEIGHT_SOURCE_H_
