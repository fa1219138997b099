// Files of a remote place that were asked for, so that each is asked for once.
#ifndef TENSORGUARD_PLACES_OPENED_FILES_H_
#define TENSORGUARD_PLACES_OPENED_FILES_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/file.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Thread-safe.
class OpenedFiles {
 public:
  using Opener = std::function<Result<std::shared_ptr<const File>>()>;

  // The file at `path`, opened by `open` unless that was done before. That a file is not there is
  // kept too; other errors are not.
  Result<std::shared_ptr<const File>> Get(const std::string& path, const Opener& open);

 private:
  struct Entry {
    std::mutex mutex;
    std::optional<Result<std::shared_ptr<const File>>> answer;  // guarded by mutex
  };

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // guarded by mutex_
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_OPENED_FILES_H_
