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
  bool is_adapter = false;  // `folder` is that of an adapter
  // It holds adapter_config.json and a whole model, but no adapter: a training that was merged
  // left it.
  bool leftover_adapter_config = false;
  std::optional<WeightFiles> weights;  // empty for an adapter, whose config says where they are
};

// Errors: those of FindWeightFiles and ResolveHubCache; kUsage for a folder with an adapter and a
// whole model beside it.
Result<ModelFiles> FindModelFiles(const std::filesystem::path& path,
                                  const FileStore& files = *LocalFiles());

// The same without looking for the weights of a model: `weights` is empty. Errors: those of
// `files`, and of ResolveHubCache; kUsage as above.
Result<ModelFiles> FindKindOfFiles(const std::filesystem::path& path,
                                   const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_MODEL_FILES_H_
