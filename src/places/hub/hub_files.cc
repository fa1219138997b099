#include "places/hub/hub_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/try.h"
#include "places/http/file_kinds.h"
#include "places/http/http_answers.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// A path of this store and the listing of its repository.
struct HubPath {
  HubPlace name;
  std::shared_ptr<const HubListing> listing;

  bool IsFile() const { return listing->files.contains(name.file); }

  bool IsFolder() const {
    const std::string prefix = Prefix();
    const auto first = listing->files.lower_bound(prefix);
    return prefix.empty() || (first != listing->files.end() && first->first.starts_with(prefix));
  }

  Result<HubFile> Look(const fs::path& path) const {
    const auto found = listing->files.find(name.file);
    if (found != listing->files.end()) return found->second;
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "the model has no such file",
                 .file = path.string()};
  }

  std::string Prefix() const { return name.file.empty() ? "" : name.file + "/"; }
};

Result<HubPath> ParsePath(const HubFiles& files, const fs::path& path) {
  TG_ASSIGN(auto place, ParsePlaceName(path.string()));
  HubPath parsed = {.name = std::get<HubPlace>(std::move(place)), .listing = {}};
  TG_ASSIGN(auto listing, files.List(parsed.name));
  parsed.listing = std::move(listing);
  return parsed;
}

}  // namespace

HubFiles::HubFiles(Url endpoint, std::string token, std::shared_ptr<RemoteFiles> remote)
    : endpoint_(std::move(endpoint)), token_(std::move(token)), remote_(std::move(remote)) {}

// `way` leads on from the endpoint and starts with "/".
HttpPlace HubFiles::PlaceOf(std::string path, const std::string& way) const {
  std::string base = endpoint_.text();
  while (base.ends_with('/')) base.pop_back();
  return {.path = std::move(path),
          .url = *Url::Parse(base + way),  // a URL with more of a path is one
          .credential = {.origin = endpoint_.origin(), .bearer_token = token_},
          .is_hub = true};
}

Result<std::shared_ptr<const HubListing>> HubFiles::List(const HubPlace& name) const {
  const std::string root = name.Root();
  const std::lock_guard lock(mutex_);
  if (const auto known = listings_.find(root); known != listings_.end()) return known->second;
  const std::string way = fmt::format("/api/models/{}/revision/{}?blobs=true", name.repository,
                                      PercentEncode(name.revision, false));
  TG_ASSIGN(const auto answer, remote_->Fetch(PlaceOf(root, way), kHubListingLimitBytes));
  auto listing = ParseHubListing(answer);
  if (!listing) return WithoutText(std::move(listing).error().InFile(root), token_);
  if (IsCommit(name.revision) && listing->commit != name.revision) {
    return Error{.problem = "the Hub answers with another commit than was named",
                 .file = root,
                 .found = listing->commit,
                 .expected = name.revision};
  }
  auto shared = std::make_shared<const HubListing>(*std::move(listing));
  listings_.emplace(root, shared);
  return shared;
}

Result<bool> HubFiles::Exists(const fs::path& path) const {
  TG_ASSIGN(const auto parsed, ParsePath(*this, path));
  return parsed.IsFile() || parsed.IsFolder();
}

Result<bool> HubFiles::IsFolder(const fs::path& path) const {
  TG_ASSIGN(const auto parsed, ParsePath(*this, path));
  return parsed.IsFolder();
}

Result<std::vector<std::string>> HubFiles::NamesIn(const fs::path& folder, bool of_folders) const {
  TG_ASSIGN(const auto parsed, ParsePath(*this, folder));
  const std::string prefix = parsed.Prefix();
  std::set<std::string> names;
  for (const auto& [path, file] : parsed.listing->files) {
    if (!path.starts_with(prefix)) continue;
    const size_t end = path.find('/', prefix.size());
    if ((end != path.npos) == of_folders) {
      names.insert(path.substr(prefix.size(), end == path.npos ? end : end - prefix.size()));
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> HubFiles::FilesIn(const fs::path& folder,
                                                   std::span<const std::string>) const {
  return NamesIn(folder, false);
}

Result<std::vector<std::string>> HubFiles::FoldersIn(const fs::path& folder) const {
  return NamesIn(folder, true);
}

Result<HubFile> HubFiles::Look(const fs::path& path) const {
  TG_ASSIGN(const auto parsed, ParsePath(*this, path));
  return parsed.Look(path);
}

Result<std::shared_ptr<const File>> HubFiles::Open(const fs::path& path) const {
  TG_ASSIGN(const auto parsed, ParsePath(*this, path));
  TG_ASSIGN(const auto file, parsed.Look(path));
  const std::string& name = parsed.name.file;
  return opened_.Get(path.string(), [&] {
    HttpPlace place =
        PlaceOf(path.string(), fmt::format("/{}/resolve/{}/{}", parsed.name.repository,
                                           parsed.listing->commit, PercentEncode(name, true)));
    place.size_bytes = file.size_bytes;
    place.most_bytes = MostBytesOfKind(name);
    place.content_digest = file.sha256;
    return remote_->Open(std::move(place));
  });
}

}  // namespace tensorguard::internal
