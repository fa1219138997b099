// Weights as they lie in safetensors or GGUF files: one file, or the shards of a folder.
#ifndef TENSORGUARD_WEIGHTS_FILES_STORED_WEIGHTS_H_
#define TENSORGUARD_WEIGHTS_FILES_STORED_WEIGHTS_H_

#include <filesystem>
#include <memory>
#include <optional>

#include "base/file_store.h"
#include "formats/gguf/gguf_metadata.h"
#include "weights/files/weight_files.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// `path` is a weight file, an index, or a folder with: an index (*.safetensors.index.json) and its
// shards; or shards named NAME-00001-of-00003.safetensors, NAME-01-of-06, model_00001-of-00072 and
// the like without an index; or one single *.safetensors file. Where no safetensors file is there,
// the same of *.gguf, and the first part of a split GGUF model names them all. A folder of a Hub
// cache (models--ORG--NAME) is resolved to the snapshot that refs/main names. What is chosen where
// a folder holds more: docs/decisions/002-which-files-are-the-model.md.
//
// A missing, extra or contradictory shard is an error, not a smaller model: a tensor that the index
// promises and the shard lacks, or the other way round, a tensor in two shards, a number of shards
// other than the names say, one shard of several given alone. Keeps at most 64 files open, and one
// more per thread that reads. Errors: kNotFound, kBadFile, kUnsupported (other weight formats,
// named in the text), kUsage (more than one model, or part of one), kSystem.
Result<std::shared_ptr<const WeightSource>> OpenStoredWeights(
    const std::filesystem::path& path, const FileStorePtr& files = LocalFiles());

// Weights, and what their files say beside them.
struct StoredModel {
  std::shared_ptr<const WeightSource> weights;
  std::optional<GgufMetadata> gguf;  // of the first file, where that is GGUF
};

// The same of files that are already found. REQUIRES: of FindWeightFiles, in the same store.
Result<StoredModel> OpenStoredModel(const WeightFiles& found,
                                    const FileStorePtr& files = LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_STORED_WEIGHTS_H_
