// Folders of a Hugging Face Hub cache: models--ORG--NAME with refs, blobs and snapshots.
#ifndef TENSORGUARD_WEIGHTS_FILES_HUB_CACHE_H_
#define TENSORGUARD_WEIGHTS_FILES_HUB_CACHE_H_

#include <filesystem>

#include "base/file_store.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// True if `folder` holds a folder "snapshots", and "refs" or "blobs" beside it.
// Errors: those of `files`.
Result<bool> IsHubCacheFolder(const std::filesystem::path& folder,
                              const FileStore& files = *LocalFiles());

// The snapshot that refs/main names; without refs/main the only snapshot. Errors: kNotFound if
// there is no such snapshot, kUsage if there are several and nothing tells which, kBadFile if
// refs/main does not hold a plain name.
Result<std::filesystem::path> ResolveHubCache(const std::filesystem::path& folder,
                                              const FileStore& files = *LocalFiles());

// Where the files of a folder's model lie: the snapshot of a Hub cache folder, any other folder
// itself. Errors: those of the two above.
Result<std::filesystem::path> PlaceOfFolder(const std::filesystem::path& folder,
                                            const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_HUB_CACHE_H_
