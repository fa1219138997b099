#include "weights/files/model_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/try.h"
#include "formats/archives/archive.h"
#include "formats/shard_names.h"
#include "formats/weight_format.h"
#include "weights/files/hub_cache.h"
#include "weights/files/weight_files.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

bool IsOfModel(const std::string& name) {
  const auto formats = ReadableFormats();
  return FormatOfIndexName(name) != nullptr ||
         std::any_of(formats.begin(), formats.end(),
                     [&](const FormatNames& format) { return IsWeightName(format, name); });
}

// Files that say that the weights beside them are one model.
bool SaysOneModel(const std::string& name) {
  if (name == "config.json" || name == "adapter_config.json") return true;
  if (FormatOfIndexName(name) != nullptr) return true;
  const auto formats = ReadableFormats();
  return std::any_of(formats.begin(), formats.end(), [&](const FormatNames& format) {
    return IsWeightName(format, name) && (IsMainName(format, name) || IsMainPartName(format, name));
  });
}

bool HoldsWeights(const Names& names) { return std::any_of(names.begin(), names.end(), IsOfModel); }

// Why a folder below, none of whose files are weights, is no model; empty if it is one.
Result<std::string> WhyNoModel(const FileStore& store, const fs::path& folder, const Names& names) {
  if (std::find(names.begin(), names.end(), "adapter_config.json") != names.end()) {
    return std::string();
  }
  TG_ASSIGN(const auto is_cache, IsHubCacheFolder(folder, store));
  if (is_cache) return std::string();
  const auto found = FindWeightFiles(folder, store);
  if (found) return std::string();
  const Error& error = found.error();
  return error.found.empty() ? error.problem : fmt::format("{}: {}", error.problem, error.found);
}

Result<void> AddFoldersBelow(const FileStore& store, const fs::path& folder, ModelFolder& found) {
  TG_ASSIGN(const auto folders, store.FoldersIn(folder));
  for (const std::string& name : folders) {
    if (name.starts_with('.')) continue;
    const fs::path below = folder / name;
    // One that cannot be listed is listed here: opening it says why.
    const auto names = store.FilesIn(below);
    TG_ASSIGN(auto reason, !names || HoldsWeights(*names) ? Result<std::string>(std::string())
                                                          : WhyNoModel(store, below, *names));
    if (reason.empty()) {
      found.models.push_back(below);
    } else {
      found.left_out.push_back({below.string(), std::move(reason)});
    }
  }
  return {};
}

// Files of several parts are listed once, by the first of them.
void AddFiles(const fs::path& folder, const Names& names, ModelFolder& found) {
  std::set<std::string> sets;
  for (const std::string& name : names) {
    const std::string path = (folder / name).string();
    if (IsOfModel(name)) {
      const auto part = ParseShardName(name);
      const bool first =
          !part ||
          sets.insert(fmt::format("{}{}{}", part->set, part->total, WeightSuffixOf(name))).second;
      if (first) found.models.push_back(path);
    } else if (const auto format = OtherWeightFormatOfName(name)) {
      found.left_out.push_back(
          {path, fmt::format("weights are in a format that is not read: {}", *format)});
    } else if (ArchiveOfName(name) != nullptr) {
      found.left_out.push_back({path, "models are not read from archives"});
    } else if (!WeightSuffixOf(name).empty()) {
      found.left_out.push_back({path, "by its name no model"});
    }
  }
}

// Whether the files in `folder` and below "onnx" are what FindWeightFiles takes for one model.
bool IsOneModel(const FileStore& store, const fs::path& folder, const Names& names) {
  const bool said = std::any_of(names.begin(), names.end(), SaysOneModel);
  if (HoldsWeights(names)) return said;
  return FindWeightFiles(folder, store) ? true : false;
}

}  // namespace

Result<ModelFolder> FindModels(const fs::path& folder, const FileStore& files) {
  TG_ASSIGN(const auto is_cache, IsHubCacheFolder(folder, files));
  if (is_cache) return ModelFolder{.models = {folder}, .left_out = {}};
  TG_ASSIGN(const auto names, files.FilesIn(folder));
  if (IsOneModel(files, folder, names)) return ModelFolder{.models = {folder}, .left_out = {}};

  ModelFolder found;
  TG_TRY(AddFoldersBelow(files, folder, found));
  const bool alone = found.models.empty();
  AddFiles(folder, names, found);
  // A model's only file or set, of any name.
  if (alone && !found.models.empty() && FindWeightFiles(folder, files)) {
    return ModelFolder{.models = {folder}, .left_out = {}};
  }
  std::sort(found.models.begin(), found.models.end());
  std::sort(found.left_out.begin(), found.left_out.end(),
            [](const LeftOut& a, const LeftOut& b) { return a.path < b.path; });
  return found;
}

}  // namespace tensorguard::internal
