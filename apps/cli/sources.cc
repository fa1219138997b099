#include "cli/sources.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "cli/models.h"
#include "full_profile/fingerprint_file.h"
#include "model/model.h"

namespace tensorguard::cli {
namespace {

namespace fs = std::filesystem;

// The name that the file of a fingerprint starts with, so that "a" comes before "a--b".
std::string_view WithoutSuffix(std::string_view path) {
  for (const std::string_view suffix : {".fingerprint.safetensors", "_features.json"}) {
    if (path.ends_with(suffix)) return path.substr(0, path.size() - suffix.size());
  }
  return path;
}

// Entries of a folder that `wanted` names, sorted; none if it is no folder.
std::vector<std::string> EntriesOf(const std::string& folder,
                                   const std::function<bool(const fs::path&)>& wanted) {
  std::vector<std::string> paths;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (wanted(entry->path())) paths.push_back(entry->path().string());
  }
  std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
    return WithoutSuffix(a) < WithoutSuffix(b);
  });
  return paths;
}

std::vector<std::string> FingerprintsIn(const std::string& folder, Profile profile) {
  return EntriesOf(folder, [&](const fs::path& path) {
    return profile == Profile::kFull ? IsFingerprintFile(path.string())
                                     : IsFeaturesFile(path.string());
  });
}

bool HoldsWeights(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return false;
  return !EntriesOf(folder.string(), [](const fs::path& path) {
            return path.extension() == ".safetensors" && !IsFingerprintFile(path.string());
          }).empty();
}

}  // namespace

bool IsFingerprintFile(const std::string& path) {
  if (path.ends_with(kFingerprintSuffix)) return true;
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  const auto holds = HoldsFingerprint(path);
  return holds && *holds;
}

Profile ChooseProfile(const std::string& name, const std::vector<std::string>& arguments) {
  if (!name.empty()) return name == "full" ? Profile::kFull : Profile::kPaper;
  const bool paper =
      std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
        return IsFeaturesFile(argument) || (!FingerprintsIn(argument, Profile::kPaper).empty() &&
                                            FingerprintsIn(argument, Profile::kFull).empty());
      });
  return paper ? Profile::kPaper : Profile::kFull;
}

std::vector<std::string> SourcesOf(const std::string& argument, Profile profile) {
  std::vector<std::string> sources = FingerprintsIn(argument, profile);
  if (sources.empty() && !HoldsWeights(argument)) sources = EntriesOf(argument, HoldsWeights);
  if (sources.empty()) sources.push_back(argument);
  return sources;
}

}  // namespace tensorguard::cli
