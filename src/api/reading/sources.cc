#include "api/reading/sources.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "api/models.h"
#include "api/registry/registry_names.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

// The name that the file of a fingerprint starts with, so that "a" comes before "a--b".
std::string_view WithoutSuffix(std::string_view path) {
  for (const std::string_view suffix : {kFingerprintSuffix, kFeaturesSuffix}) {
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

// None where the argument is no folder of this machine, or cannot be listed: opening it says why.
Sources ModelsIn(const std::string& argument, Profile profile) {
  std::error_code ignored;
  if (!fs::is_directory(argument, ignored)) return {};
  auto found = FindModels(argument);
  if (!found) return {};
  Sources sources = {.paths = {}, .left_out = std::move(found->left_out)};
  for (const fs::path& model : found->models) {
    if (!IsFingerprintFile(model.string())) {
      sources.paths.push_back(model == argument ? argument : model.string());
    } else if (profile == Profile::kPaper) {
      sources.left_out.push_back({model.string(), "a fingerprint of the full profile"});
    }
  }
  return sources;
}

// Of a folder: its fingerprints, and its models as left out beside them.
Sources FingerprintsOrModels(const std::string& argument, Profile profile) {
  Sources models = ModelsIn(argument, profile);
  std::vector<std::string> fingerprints = FingerprintsIn(argument, profile);
  if (fingerprints.empty()) return models;
  std::erase_if(models.left_out, [&](const LeftOut& each) {
    return std::any_of(fingerprints.begin(), fingerprints.end(), [&](const std::string& path) {
      return fs::path(path).lexically_normal() == fs::path(each.path).lexically_normal();
    });
  });
  for (std::string& path : models.paths) {
    if (path == argument) continue;  // the only model, beside its own fingerprint
    models.left_out.push_back({std::move(path), "the folder's fingerprints are taken"});
  }
  models.paths = std::move(fingerprints);
  return models;
}

}  // namespace

bool IsFingerprintFile(const std::string& path) {
  if (NamesRegistry(path) || ParseStoredModelName(path)) return true;
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

Sources SourcesOf(const std::vector<std::string>& arguments, Profile profile,
                  const Session& session) {
  Sources all;
  for (const std::string& argument : arguments) {
    if (profile == Profile::kFull && NamesRegistry(argument)) {
      // Of one that cannot be opened, reading it as a model says why.
      auto stored = StoredModelNames(argument, *session.registries);
      if (!stored || stored->empty()) stored = std::vector<std::string>{argument};
      std::move(stored->begin(), stored->end(), std::back_inserter(all.paths));
      continue;
    }
    Sources sources = FingerprintsOrModels(argument, profile);
    if (sources.paths.empty()) sources.paths.push_back(argument);
    std::move(sources.paths.begin(), sources.paths.end(), std::back_inserter(all.paths));
    std::move(sources.left_out.begin(), sources.left_out.end(), std::back_inserter(all.left_out));
  }
  return all;
}

}  // namespace tensorguard::internal
