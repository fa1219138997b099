// Opening a model whose files are already found.
#ifndef TENSORGUARD_MODEL_FOUND_MODEL_H_
#define TENSORGUARD_MODEL_FOUND_MODEL_H_

#include <optional>

#include "base/file_store.h"
#include "model/model.h"
#include "tensorguard/result.h"
#include "weights/files/model_files.h"

namespace tensorguard::internal {

// As OpenModel, of files that FindModelFiles found in `files`.
Result<Model> OpenFoundModel(const ModelFiles& found, const std::optional<ModelFiles>& base,
                             const FileStorePtr& files, const std::optional<PartChoice>& part = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_FOUND_MODEL_H_
