// The files that an index of shards names, and what is wrong with them.
#ifndef TENSORGUARD_WEIGHTS_FILES_INDEX_FILES_H_
#define TENSORGUARD_WEIGHTS_FILES_INDEX_FILES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "tensorguard/result.h"
#include "weights/files/weight_files.h"

namespace tensorguard::internal {

// `weights` are the names of all files of weights beside the index, in its format. Errors: those
// of ReadShardIndex; kNotFound for shards that are missing, with the way out that the folder has;
// kBadFile for a shard of the same set that the index does not name.
Result<WeightFiles> FilesOfIndex(const FileStore& store, const std::filesystem::path& index_path,
                                 const std::vector<std::string>& weights);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_INDEX_FILES_H_
