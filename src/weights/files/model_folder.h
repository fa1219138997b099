// A folder of many models: which they are, and what in it is none.
#ifndef TENSORGUARD_WEIGHTS_FILES_MODEL_FOLDER_H_
#define TENSORGUARD_WEIGHTS_FILES_MODEL_FOLDER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What a folder holds that looks like a model and is not taken for one.
struct LeftOut {
  std::string path;
  std::string reason;  // one clause; may hold names from outside
};

struct ModelFolder {
  std::vector<std::filesystem::path> models;  // sorted
  std::vector<LeftOut> left_out;              // sorted by path
};

// The models in `folder`: the folder alone where it is itself one model (its weights lie in it
// under reserved names or beside a config, or it is a Hub cache); else every folder right below
// that holds weights, and every weight file (of several parts the first). A model that cannot be
// read is listed as well: opening it says why. Folders without weights, weights in other formats,
// archives and files that only end like weights are left out; a folder whose name begins with "."
// is passed over. Errors: those of `files`.
Result<ModelFolder> FindModels(const std::filesystem::path& folder,
                               const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_MODEL_FOLDER_H_
