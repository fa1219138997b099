// The index of a sharded model (model.safetensors.index.json): which shard holds which tensor.
#ifndef TENSORGUARD_FORMATS_SHARD_INDEX_H_
#define TENSORGUARD_FORMATS_SHARD_INDEX_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_store.h"
#include "base/json.h"
#include "formats/weight_format.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct IndexedTensor {
  std::string name;
  uint32_t shard = 0;  // into ShardIndex::shards
};

struct ShardIndex {
  std::vector<std::string> shards;     // sorted; relative to the index's folder and inside it
  std::vector<IndexedTensor> tensors;  // sorted by name, names unique, at least one
};

// Reads weight_map. The shards must be of the format that the end of `path` says, of the first of
// ReadableFormats where it says none. The "metadata" beside it is free text to us: its total_size
// is 0, a fraction or wrong in published models. Errors: those of ReadJsonFile; kBadFile if there
// is no weight_map of names, if it is empty, or if it names a file outside of the folder;
// kUnsupported if it names a file of another format.
Result<ShardIndex> ReadShardIndex(const std::filesystem::path& path,
                                  const FileStore& files = *LocalFiles());

// The same on JSON already parsed; errors do not know the file.
Result<ShardIndex> ShardIndexFromJson(const Json& json, const FormatNames& names);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_SHARD_INDEX_H_
