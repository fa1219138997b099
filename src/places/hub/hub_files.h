// Models on the Hugging Face Hub as a file store.
#ifndef TENSORGUARD_PLACES_HUB_HUB_FILES_H_
#define TENSORGUARD_PLACES_HUB_HUB_FILES_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_store.h"
#include "places/hub/hub.h"
#include "places/opened_files.h"
#include "places/remote_files.h"

namespace tensorguard::internal {

// Paths are "hf://ORG/NAME[@REVISION][/FILE]". Of each repository and revision one commit is read,
// whatever happens to it meanwhile. Thread-safe.
class HubFiles : public FileStore {
 public:
  HubFiles(Url endpoint, std::string token, std::shared_ptr<RemoteFiles> remote);

  // Errors: those of RemoteFiles::Fetch and ParseHubListing; kBadFile for another commit than the
  // revision names.
  Result<std::shared_ptr<const HubListing>> List(const HubPlace& name) const;

  Result<bool> Exists(const std::filesystem::path& path) const override;
  Result<bool> IsFolder(const std::filesystem::path& path) const override;
  Result<std::vector<std::string>> FilesIn(const std::filesystem::path& folder,
                                           std::span<const std::string>) const override;
  Result<std::vector<std::string>> FoldersIn(const std::filesystem::path& folder) const override;
  Result<std::shared_ptr<const File>> Open(const std::filesystem::path& path) const override;

  // What the listing says of a file. Errors: those of List; kNotFound.
  Result<HubFile> Look(const std::filesystem::path& path) const;

 private:
  HttpPlace PlaceOf(std::string path, const std::string& way) const;
  Result<std::vector<std::string>> NamesIn(const std::filesystem::path& folder,
                                           bool of_folders) const;

  const Url endpoint_;
  const std::string token_;
  const std::shared_ptr<RemoteFiles> remote_;
  mutable OpenedFiles opened_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const HubListing>> listings_;  // by HubPlace::Root
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_HUB_HUB_FILES_H_
