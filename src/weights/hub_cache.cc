#include "weights/hub_cache.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "base/file.h"

namespace tensorguard {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLongestRefBytes = 200;

bool IsFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// A revision is a commit's hex digits, or a branch or tag; never a path.
bool IsRevision(const std::string& text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
  };
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), allowed);
}

Result<std::string> ReadRevision(const fs::path& ref) {
  auto text = ReadSmallFile(ref, kLongestRefBytes);
  if (!text) return std::move(text).error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (IsRevision(*text)) return text;
  return Error{.problem = "reference does not name a revision",
               .file = ref.string(),
               .found = *text,
               .expected = "the name of a folder in snapshots"};
}

std::vector<std::string> SnapshotNames(const fs::path& snapshots) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(snapshots, error), end; !error && entry != end;
       entry.increment(error)) {
    if (IsFolder(entry->path())) names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

bool IsHubCacheFolder(const fs::path& folder) {
  return IsFolder(folder / "snapshots") &&
         (IsFolder(folder / "refs") || IsFolder(folder / "blobs"));
}

Result<fs::path> ResolveHubCache(const fs::path& folder) {
  const fs::path snapshots = folder / "snapshots";
  const fs::path main = folder / "refs" / "main";
  std::error_code ignored;
  if (fs::exists(main, ignored)) {
    auto revision = ReadRevision(main);
    if (!revision) return std::move(revision).error();
    const fs::path snapshot = snapshots / *revision;
    if (IsFolder(snapshot)) return snapshot;
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "snapshot that refs/main names is not there",
                 .file = folder.string(),
                 .expected = snapshot.string(),
                 .advice = "download the model again"};
  }
  const std::vector<std::string> names = SnapshotNames(snapshots);
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

}  // namespace tensorguard
