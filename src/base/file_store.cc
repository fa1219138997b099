#include "base/file_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// A broken link counts as a file: it is listed, and reported when it is opened.
Result<Names> NamesIn(const fs::path& folder, bool of_folders) {
  Names names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) == of_folders) {
      names.push_back(entry->path().filename().string());
    }
  }
  if (error) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = fmt::format("cannot list the folder: {}", error.message()),
                 .file = folder.string()};
  }
  std::sort(names.begin(), names.end());
  return names;
}

class LocalFileStore : public FileStore {
 public:
  Result<bool> Exists(const fs::path& path) const override {
    std::error_code ignored;
    return fs::exists(path, ignored);
  }

  Result<bool> IsFolder(const fs::path& path) const override {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
  }

  Result<Names> FilesIn(const fs::path& folder, std::span<const std::string>) const override {
    return NamesIn(folder, false);
  }

  Result<Names> FoldersIn(const fs::path& folder) const override { return NamesIn(folder, true); }

  Result<std::shared_ptr<const File>> Open(const fs::path& path) const override {
    return File::Open(path);
  }
};

}  // namespace

const FileStorePtr& LocalFiles() {
  static const FileStorePtr local = std::make_shared<LocalFileStore>();
  return local;
}

Result<std::string> ReadSmallFile(const FileStore& files, const fs::path& path,
                                  uint64_t limit_bytes) {
  TG_ASSIGN(const auto file, files.Open(path));
  return ReadWholeFile(*file, limit_bytes);
}

}  // namespace tensorguard::internal
