// Weights as they lie in safetensors files: one file, or the shards of a folder.
#ifndef TENSORGUARD_WEIGHTS_STORED_WEIGHTS_H_
#define TENSORGUARD_WEIGHTS_STORED_WEIGHTS_H_

#include <filesystem>
#include <memory>

#include "weights/weight_source.h"

namespace tensorguard {

// `path` is a weight file, or a folder with: an index (*.safetensors.index.json) and its shards; or
// shards named NAME-00001-of-00003.safetensors, NAME-01-of-06, model_00001-of-00072 and the like
// without an index; or one single *.safetensors file. A folder of a Hub cache
// (models--ORG--NAME/snapshots/REVISION) is resolved to its newest snapshot by refs/main.
//
// A missing, extra or contradictory shard is an error, not a smaller model: a tensor that the index
// promises and the shard lacks, or the other way round, a tensor in two shards, a number of shards
// other than the names say. Errors: kNotFound, kBadFile, kUnsupported (other weight formats, named
// in the text), kSystem.
Result<std::shared_ptr<const WeightSource>> OpenStoredWeights(const std::filesystem::path& path);

}  // namespace tensorguard

#endif  // TENSORGUARD_WEIGHTS_STORED_WEIGHTS_H_
