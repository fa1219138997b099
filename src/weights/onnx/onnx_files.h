// Which ONNX files make up a model, by the names that optimum and transformers.js give them.
#ifndef TENSORGUARD_WEIGHTS_ONNX_ONNX_FILES_H_
#define TENSORGUARD_WEIGHTS_ONNX_ONNX_FILES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Of an encoder-decoder first its encoder, then its decoder; else one file.
using OnnxFiles = std::vector<std::filesystem::path>;

// `names` are the ONNX files in `folder`, at least one. decoder_model_merged.onnx stands for
// decoder_model.onnx and decoder_with_past_model.onnx; encoder_model.onnx belongs to the decoder of
// the same ending ("_quantized", "_q4"). Errors: kUsage where there is more than one model,
// listing them, or an encoder without its decoder.
Result<OnnxFiles> OnnxFilesOfFolder(const std::filesystem::path& folder,
                                    const std::vector<std::string>& names);

// The file itself, and the other half of an encoder-decoder beside it. Errors: kSystem; kUsage for
// an encoder without its decoder.
Result<OnnxFiles> OnnxFilesOfFile(const std::filesystem::path& path, const FileStore& files);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ONNX_ONNX_FILES_H_
