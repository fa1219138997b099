// Files for several processors, each with a share of every tensor.
#ifndef TENSORGUARD_WEIGHTS_FILES_PARALLEL_FILES_H_
#define TENSORGUARD_WEIGHTS_FILES_PARALLEL_FILES_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// "consolidated." and ".pth" of "consolidated.03.pth": a part of every tensor, for one of several
// processors, as Meta (consolidated) and Megatron and DeepSpeed (mp_rank) write them.
std::optional<std::string> ModelParallelFamily(std::string_view name);

// All of "consolidated.00.pth", "consolidated.01.pth", ... of `weights` in their order, where
// params.json among `names` tells that they are shares of one model in the layout of Meta. Empty
// where they are not whole, or one.
std::vector<std::string> NativeShares(const std::vector<std::string>& weights,
                                      const std::vector<std::string>& names);

// One such part alone is the whole model; of several none is, nor are they its shards:
// kUnsupported, with what there is of the family of `name` among `names`.
Result<void> CheckNotModelParallel(const std::filesystem::path& path,
                                   const std::vector<std::string>& names, const std::string& name);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_PARALLEL_FILES_H_
