// Files in which trainings spread the weights of one model over several processors.
#ifndef TENSORGUARD_WEIGHTS_FILES_TRAINING_FILES_H_
#define TENSORGUARD_WEIGHTS_FILES_TRAINING_FILES_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// kUnsupported, by what made the files and with the way to one model: shards of a distributed
// checkpoint of PyTorch (.distcp), of DeepSpeed's ZeRO. `names` are those of the files in `folder`;
// a folder that holds nothing of the kind is fine.
Result<void> CheckNotSharded(const std::filesystem::path& folder,
                             const std::vector<std::string>& names);

// The same of a folder without weights, by the folders below it as well: also checkpoints of
// Megatron. Empty if it is nothing of the kind. Errors: those of the store.
Result<std::optional<Error>> TrainingFolder(const FileStore& store,
                                            const std::filesystem::path& folder,
                                            const std::vector<std::string>& names);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_TRAINING_FILES_H_
