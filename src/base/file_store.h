// What a model's files are read from: this machine's folders, or another place that holds files.
#ifndef TENSORGUARD_BASE_FILE_STORE_H_
#define TENSORGUARD_BASE_FILE_STORE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Paths are the store's own; "/" joins them whatever the place. Thread-safe.
class FileStore {
 public:
  virtual ~FileStore() = default;

  // Whether anything is there. Errors: kSystem if the place does not answer.
  virtual Result<bool> Exists(const std::filesystem::path& path) const = 0;

  // False where nothing is there. Errors: as Exists.
  virtual Result<bool> IsFolder(const std::filesystem::path& path) const = 0;

  // Sorted names of what lies in `folder`, other than folders. A place that cannot list its folders
  // gives those of `likely_names` that are there. Errors: kSystem.
  virtual Result<std::vector<std::string>> FilesIn(
      const std::filesystem::path& folder,
      std::span<const std::string> likely_names = {}) const = 0;

  // Sorted names of the folders in `folder`; none where the place cannot list. Errors: kSystem.
  virtual Result<std::vector<std::string>> FoldersIn(const std::filesystem::path& folder) const = 0;

  // Errors: as File::Open.
  virtual Result<std::shared_ptr<const File>> Open(const std::filesystem::path& path) const = 0;
};

using FileStorePtr = std::shared_ptr<const FileStore>;  // never null

// The files of this machine.
const FileStorePtr& LocalFiles();

// ReadSmallFile of a file in `files`.
Result<std::string> ReadSmallFile(const FileStore& files, const std::filesystem::path& path,
                                  uint64_t limit_bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_FILE_STORE_H_
