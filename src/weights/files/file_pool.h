// Files of a model opened when needed, so that a thousand shards do not need a thousand
// descriptors.
#ifndef TENSORGUARD_WEIGHTS_FILES_FILE_POOL_H_
#define TENSORGUARD_WEIGHTS_FILES_FILE_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/file_store.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct PooledFile {
  std::string path;
  uint64_t size_bytes = 0;  // when its header was read
};

// Thread-safe. Keeps the `most_open` files used last open; one more per thread that is reading.
class FilePool {
 public:
  FilePool(std::vector<PooledFile> files, FileStorePtr store, size_t most_open);

  const PooledFile& file(size_t index) const { return files_[index]; }

  // Errors: those of FileStore::Open; kBadFile if the file's size is no longer what it was.
  Result<std::shared_ptr<const File>> Open(size_t index) const;

 private:
  struct OpenFile {
    size_t index;
    std::shared_ptr<const File> file;
  };

  std::vector<PooledFile> files_;
  FileStorePtr store_;
  size_t most_open_;
  mutable std::mutex mutex_;
  mutable std::vector<OpenFile> open_;  // guarded by mutex_; used last at the end
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_FILES_FILE_POOL_H_
