#include "weights/files/hub_cache.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestRefBytes = 200;

// A revision is a commit's hex digits, or a branch or tag; never a path.
bool IsRevision(const std::string& text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
  };
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), allowed);
}

Result<std::string> ReadRevision(const FileStore& files, const fs::path& ref) {
  auto text = ReadSmallFile(files, ref, kLongestRefBytes);
  if (!text) return std::move(text).error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (IsRevision(*text)) return text;
  return Error{.problem = "reference does not name a revision",
               .file = ref.string(),
               .found = *text,
               .expected = "the name of a folder in snapshots"};
}

}  // namespace

Result<bool> IsHubCacheFolder(const fs::path& folder, const FileStore& files) {
  auto snapshots = files.IsFolder(folder / "snapshots");
  if (!snapshots || !*snapshots) return snapshots;
  const auto refs = files.IsFolder(folder / "refs");
  return !refs || *refs ? refs : files.IsFolder(folder / "blobs");
}

Result<fs::path> ResolveHubCache(const fs::path& folder, const FileStore& files) {
  const fs::path snapshots = folder / "snapshots";
  const fs::path main = folder / "refs" / "main";
  TG_ASSIGN(const auto has_main, files.Exists(main));
  if (has_main) {
    TG_ASSIGN(auto revision, ReadRevision(files, main));
    const fs::path snapshot = snapshots / revision;
    TG_ASSIGN(const auto is_there, files.IsFolder(snapshot));
    if (is_there) return snapshot;
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "snapshot that refs/main names is not there",
                 .file = folder.string(),
                 .expected = snapshot.string(),
                 .advice = "download the model again"};
  }
  TG_ASSIGN(const auto names, files.FoldersIn(snapshots));
  if (names.size() == 1) return snapshots / names[0];
  if (names.empty()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "Hub cache folder holds no snapshot",
                 .file = folder.string(),
                 .advice = "download the model again"};
  }
  return Error{.kind = ErrorKind::kUsage,
               .problem = "Hub cache folder holds several snapshots and no refs/main",
               .file = folder.string(),
               .found = fmt::format("{}", fmt::join(names, ", ")),
               .advice = "give the path of one snapshot"};
}

Result<fs::path> PlaceOfFolder(const fs::path& folder, const FileStore& files) {
  const auto is_cache = IsHubCacheFolder(folder, files);
  if (!is_cache) return is_cache.error();
  return *is_cache ? ResolveHubCache(folder, files) : folder;
}

}  // namespace tensorguard::internal
