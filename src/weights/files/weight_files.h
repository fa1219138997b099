// Which files make up the model that a path names.
#ifndef TENSORGUARD_WEIGHTS_FILES_WEIGHT_FILES_H_
#define TENSORGUARD_WEIGHTS_FILES_WEIGHT_FILES_H_

#include <filesystem>
#include <optional>
#include <vector>

#include "base/file_store.h"
#include "formats/shard_index.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct WeightFiles {
  std::vector<std::filesystem::path> files;  // at least one
  std::optional<ShardIndex> index;           // its shards are `files`, in the same order
};

// `path` is a weight file, an index, or a folder, which may be that of a Hub cache;
// docs/decisions/002-which-files-are-the-model.md says what is chosen where a folder holds more
// than one model. Reads the index, no weight file. Errors: as OpenStoredWeights.
Result<WeightFiles> FindWeightFiles(const std::filesystem::path& path,
                                    const FileStore& files = *LocalFiles());

// The same of a folder that is no Hub cache.
Result<WeightFiles> FindWeightFilesIn(const std::filesystem::path& folder,
                                      const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_WEIGHT_FILES_H_
