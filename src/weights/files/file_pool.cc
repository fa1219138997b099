#include "weights/files/file_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace tensorguard::internal {

FilePool::FilePool(std::vector<PooledFile> files, FileStorePtr store, size_t most_open)
    : files_(std::move(files)), store_(std::move(store)), most_open_(most_open) {}

Result<std::shared_ptr<const File>> FilePool::Open(size_t index) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const OpenFile& open) { return open.index == index; });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
    return open_.back().file;
  }

  const PooledFile& wanted = files_[index];
  auto file = store_->Open(wanted.path);
  if (!file) return file;
  if ((*file)->size_bytes() != wanted.size_bytes) {
    return Error{.problem = "file changed while it was in use",
                 .file = wanted.path,
                 .found = fmt::format("{} bytes", (*file)->size_bytes()),
                 .expected = fmt::format("{} bytes", wanted.size_bytes),
                 .advice = "check that nothing writes to the file, then run again"};
  }
  if (open_.size() == most_open_) open_.erase(open_.begin());
  open_.push_back({index, *file});
  return file;
}

}  // namespace tensorguard::internal
