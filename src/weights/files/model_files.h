// What the files of a model are: found out once, and handed to whatever opens a part of it.
#ifndef TENSORGUARD_WEIGHTS_FILES_MODEL_FILES_H_
#define TENSORGUARD_WEIGHTS_FILES_MODEL_FILES_H_

#include <filesystem>
#include <optional>

#include "base/file_store.h"
#include "tensorguard/result.h"
#include "weights/files/weight_files.h"

namespace tensorguard::internal {

struct ModelFiles {
  std::filesystem::path path;  // as it was named
  bool is_folder = false;      // else `path` is a file
  // That config.json and the tokenizer lie in, beside the weights: `path`, the folder that it lies
  // in, or the snapshot of a Hub cache folder.
  std::filesystem::path folder;
  bool is_adapter = false;             // `folder` is that of an adapter
  std::optional<WeightFiles> weights;  // empty for an adapter, whose config says where they are
};

// Errors: those of FindWeightFiles and ResolveHubCache.
Result<ModelFiles> FindModelFiles(const std::filesystem::path& path,
                                  const FileStore& files = *LocalFiles());

// Whether they would be an adapter's: a folder with adapter_config.json, or the adapter_model file
// in one. Looks for no weights. Errors: those of `files`, and of ResolveHubCache.
Result<bool> AreOfAdapter(const std::filesystem::path& path,
                          const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_MODEL_FILES_H_
