// Files on web servers and in public S3 buckets as a file store. Their folders cannot be listed.
#ifndef TENSORGUARD_PLACES_HTTP_WEB_FILES_H_
#define TENSORGUARD_PLACES_HTTP_WEB_FILES_H_

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "places/opened_files.h"
#include "places/place_name.h"
#include "places/remote_files.h"

namespace tensorguard::internal {

struct S3Service {
  std::string region;
  std::optional<Url> endpoint;  // of a store that works like S3
};

// Paths are URLs without query, percent-decoded; folders only those that were added. Of URLs that
// differ in the query alone, the later ones lie in folders "#2", "#3" ... of their path: a fragment
// is never sent, so no other path looks like that. Thread-safe.
class WebFiles : public FileStore {
 public:
  WebFiles(S3Service s3, std::shared_ptr<RemoteFiles> remote);

  // Makes what an argument names known: its path, under which its query is kept.
  std::filesystem::path Add(const WebPlace& name) const;
  std::filesystem::path Add(const S3Place& name) const;

  Result<bool> Exists(const std::filesystem::path& path) const override;
  Result<bool> IsFolder(const std::filesystem::path& path) const override;
  Result<std::vector<std::string>> FilesIn(
      const std::filesystem::path& folder,
      std::span<const std::string> likely_names) const override;
  Result<std::vector<std::string>> FoldersIn(const std::filesystem::path& folder) const override;
  Result<std::shared_ptr<const File>> Open(const std::filesystem::path& path) const override;

 private:
  struct Known {
    std::map<std::string, Url> urls;  // of files that a URL was given for, by path
    std::set<std::string> named;      // files that were named, not looked for beside others
    std::set<std::string> folders;
    std::map<std::string, std::string> numbered;  // "FOLDER/#2" -> "FOLDER"
    std::set<std::string> may_hide;  // folders in which a file that is not there is "forbidden"
  };

  std::string PathFor(const WebPlace& name) const;
  Result<Url> UrlOf(const std::string& path) const;

  const S3Service s3_;
  const std::shared_ptr<RemoteFiles> remote_;
  mutable OpenedFiles opened_;
  mutable std::mutex mutex_;
  mutable Known known_;  // guarded by mutex_
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HTTP_WEB_FILES_H_
