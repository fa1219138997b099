// Which files make up the model that a path names.
#ifndef TENSORGUARD_WEIGHTS_FILES_WEIGHT_FILES_H_
#define TENSORGUARD_WEIGHTS_FILES_WEIGHT_FILES_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "formats/shard_index.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct WeightFiles {
  std::vector<std::filesystem::path> files;  // at least one
  std::optional<ShardIndex> index;           // its shards are `files`, in the same order
  // Where a folder was named: files of weights in it that are no part of these, and what by its
  // name is the same model in other formats.
  std::vector<std::string> beside = {};
  std::vector<WeightFiles> in_other_formats = {};
};

// `path` is a weight file, an index, or a folder, which may be that of a Hub cache;
// docs/decisions/002-which-files-are-the-model.md says what is chosen where a folder holds more
// than one model. Reads the index, no weight file. Errors: as OpenStoredWeights.
Result<WeightFiles> FindWeightFiles(const std::filesystem::path& path,
                                    const FileStore& files = *LocalFiles());

// The same of a folder that is no Hub cache.
Result<WeightFiles> FindWeightFilesIn(const std::filesystem::path& folder,
                                      const FileStore& files = *LocalFiles());

// The names that formats reserve for a whole model: "model.safetensors", its index, ...
std::vector<std::string> NamesOfWholeModels();

// Of these files the one that says that a whole model lies there: an index, a file of a reserved
// name, or the first of its shards. Empty if there is none.
std::optional<std::string> WholeModelIn(const std::vector<std::string>& names);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_WEIGHT_FILES_H_
