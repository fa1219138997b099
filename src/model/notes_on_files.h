// What lies beside a model's files and was not read.
#ifndef TENSORGUARD_MODEL_NOTES_ON_FILES_H_
#define TENSORGUARD_MODEL_NOTES_ON_FILES_H_

#include <string>
#include <vector>

#include "base/file_store.h"
#include "weights/files/model_files.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// Adds a note where the folder of a model on this machine holds other files of weights, the same
// names in another format with other numbers (some numbers of some tensors are read), or the config
// of an adapter that is not there.
void AddNotesOnFiles(const ModelFiles& found, const WeightSource& weights,
                     const FileStorePtr& files, std::vector<std::string>& notes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_NOTES_ON_FILES_H_
