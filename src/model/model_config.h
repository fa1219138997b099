// config.json and what else lies beside weights to say what they are.
#ifndef TENSORGUARD_MODEL_MODEL_CONFIG_H_
#define TENSORGUARD_MODEL_MODEL_CONFIG_H_

#include <filesystem>

#include "base/file_store.h"
#include "base/json.h"
#include "tensorguard/result.h"
#include "weights/onnx/onnx_weight_source.h"

namespace tensorguard::internal {

// config.json of a folder, null if there is none. Errors: those of ReadJsonFile; kBadFile if it is
// no object, or holds numbers that no model has (CheckConfigNumbers).
Result<Json> ReadConfig(const std::filesystem::path& folder, const FileStore& files);

// The same of params.json, which Meta and Mistral write in its place.
Result<Json> ReadNativeParams(const std::filesystem::path& folder, const FileStore& files);

// Where config.json and the tokenizer of an ONNX export lie: beside it, or a folder further up,
// where transformers.js has them. Errors: those of `files`.
Result<std::filesystem::path> FolderOfOnnxConfig(const std::filesystem::path& weight_file,
                                                 const FileStore& files);

// What an ONNX export does not tell; onnxruntime-genai has its own config. Errors: those of
// ReadJsonFile.
Result<OnnxSource> OnnxSourceOf(const Json& config, const std::filesystem::path& folder,
                                const FileStore& files);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_MODEL_CONFIG_H_
