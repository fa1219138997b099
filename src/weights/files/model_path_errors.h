// What to say of a path that does not name exactly one model that is read.
#ifndef TENSORGUARD_WEIGHTS_FILES_MODEL_PATH_ERRORS_H_
#define TENSORGUARD_WEIGHTS_FILES_MODEL_PATH_ERRORS_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_store.h"
#include "formats/archives/archive.h"
#include "tensorguard/error.h"

namespace tensorguard::internal {

// The first ones, and how many more there are.
std::string Listed(const std::vector<std::string>& names);

// kUnsupported: weights that are there, in a format that is not read.
Error NotRead(const std::filesystem::path& path, std::string found);

// kUnsupported: an archive, with the way to unpack it.
Error PackedModel(const std::filesystem::path& path, const ArchiveKind& kind);

// kUsage: what a folder holds models under, and how to name one of them. REQUIRES: names.
Error TwoModels(const std::filesystem::path& folder, const std::vector<std::string>& names);

// Of a folder with these files, none of which are weights that are read: its folders with weights,
// weights in other formats, archives, or what was looked for. Errors of the store are the answer
// where its folders cannot be listed.
Error NoWeights(const FileStore& store, const std::filesystem::path& folder,
                const std::vector<std::string>& names);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_MODEL_PATH_ERRORS_H_
