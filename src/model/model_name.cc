#include "model/model_name.h"

#include <string_view>
#include <system_error>

#include "formats/weight_format.h"
#include "places/place_name.h"

namespace tensorguard {
namespace {

namespace fs = std::filesystem;

// "NAME" of "models--ORG--NAME", empty if `folder` is not named so.
std::string HubCacheName(const std::string& folder) {
  constexpr std::string_view kPrefix = "models--";
  if (!folder.starts_with(kPrefix)) return {};
  const size_t organisation_end = folder.find("--", kPrefix.size());
  // Models without an organisation are cached as "models--NAME".
  return folder.substr(organisation_end == folder.npos ? kPrefix.size() : organisation_end + 2);
}

// The path without trailing slashes, and with "." and ".." replaced by the folder they mean.
fs::path NamedPath(const fs::path& path) {
  fs::path named = path.lexically_normal();
  if (!named.has_filename()) named = named.parent_path();
  if (named.filename() != "." && named.filename() != ".." && !named.empty()) return named;
  std::error_code failed;
  const fs::path absolute = fs::weakly_canonical(path, failed);
  return failed ? named : absolute;
}

}  // namespace

std::string ModelNameFromPath(const fs::path& path) {
  const fs::path named = NamedPath(path);
  const fs::path parent = named.parent_path();
  if (parent.filename() == "snapshots") {  // models--ORG--NAME/snapshots/REVISION
    std::string cached = HubCacheName(parent.parent_path().filename().string());
    if (!cached.empty()) return cached;
  }
  const std::string remote = LastPartOf(path.string());
  std::string name = remote.empty() ? named.filename().string() : remote;
  std::string cached = HubCacheName(name);
  if (!cached.empty()) return cached;
  constexpr std::string_view kFeatures = "_features.json";
  const std::string_view suffix = name.ends_with(kFeatures) ? kFeatures : WeightSuffixOf(name);
  if (name.size() > suffix.size()) name.resize(name.size() - suffix.size());
  return name;
}

}  // namespace tensorguard
