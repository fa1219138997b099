#include "weights/files/model_path_errors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/try.h"
#include "formats/weight_format.h"
#include "weights/files/hub_cache.h"
#include "weights/files/training_files.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// What is read, for messages.
std::string WhatIsRead() {
  std::vector<std::string_view> layouts;
  for (const FormatNames& names : ReadableFormats()) layouts.push_back(names.layout);
  return fmt::format("{}", fmt::join(layouts, "; "));
}

bool IsOfModel(const std::string& name) {
  const auto formats = ReadableFormats();
  return FormatOfIndexName(name) != nullptr ||
         std::any_of(formats.begin(), formats.end(),
                     [&](const FormatNames& format) { return IsWeightName(format, name); });
}

// A folder that cannot be looked into holds nothing that could be read.
bool HoldsModel(const FileStore& store, const fs::path& folder) {
  const auto names = store.FilesIn(folder);
  if (names && std::any_of(names->begin(), names->end(), IsOfModel)) return true;
  const auto is_cache = IsHubCacheFolder(folder, store);
  return is_cache && *is_cache;
}

// Of many folders the first ones only are looked into.
Result<Names> FoldersWithModels(const FileStore& store, const fs::path& folder) {
  constexpr size_t kMostLookedInto = 200;
  auto folders = store.FoldersIn(folder);
  if (!folders) return folders;
  if (folders->size() > kMostLookedInto) folders->resize(kMostLookedInto);
  Names with_models;
  std::copy_if(folders->begin(), folders->end(), std::back_inserter(with_models),
               [&](const std::string& name) { return HoldsModel(store, folder / name); });
  return with_models;
}

Error ModelsBelow(const fs::path& folder, const Names& names) {
  return {.kind = ErrorKind::kUsage,
          .problem = "folder holds no weights itself, but folders with weights",
          .file = folder.string(),
          .found = Listed(names),
          .advice = fmt::format("give the path of one of them: {}", (folder / names[0]).string())};
}

Error Archives(const fs::path& folder, const Names& names) {
  Error error = PackedModel(folder, *ArchiveOfName(names[0]));
  error.problem = "folder holds no weights but what an archive may hold, which is not read";
  error.found = Listed(names);
  return error;
}

}  // namespace

std::string Listed(const Names& names) {
  constexpr size_t kMostListed = 12;
  constexpr size_t kMostBytes = 300;  // what is shown of a text is cut, and the rest's number lost
  std::string list;
  size_t listed = 0;
  for (; listed < std::min(names.size(), kMostListed); ++listed) {
    if (listed > 0 && list.size() + names[listed].size() > kMostBytes) break;
    list += (listed == 0 ? "" : ", ") + names[listed];
  }
  if (names.size() > listed) list += fmt::format(" and {} more", names.size() - listed);
  return list;
}

Error NotRead(const fs::path& path, std::string found) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "weights are in a format that is not read",
          .file = path.string(),
          .found = std::move(found),
          .expected = WhatIsRead(),
          .advice = "save the model as safetensors first"};
}

Error PackedModel(const fs::path& path, const ArchiveKind& kind) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "models are not read from archives",
          .file = path.string(),
          .found = std::string(kind.name),
          .expected = "the model's files themselves",
          .advice = fmt::format("unpack it ({}) and give the path of what it held", kind.unpack)};
}

Error TwoModels(const fs::path& folder, const Names& names) {
  return {.kind = ErrorKind::kUsage,
          .problem = "folder holds more than one model",
          .file = folder.string(),
          .found = Listed(names),
          .advice = fmt::format("give the path of one weight file or index: {}",
                                (folder / names[0]).string())};
}

Error NoWeights(const FileStore& store, const fs::path& folder, const Names& names) {
  TG_ASSIGN(auto training, TrainingFolder(store, folder, names));
  if (training) return *std::move(training);
  TG_ASSIGN(const auto below, FoldersWithModels(store, folder));
  if (!below.empty()) return ModelsBelow(folder, below);
  Names others;
  Names archives;
  for (const std::string& name : names) {
    if (const auto format = OtherWeightFormatOfName(name)) {
      others.push_back(fmt::format("{} ({})", name, *format));
    } else if (ArchiveOfName(name) != nullptr) {
      archives.push_back(name);
    }
  }
  if (!others.empty()) return NotRead(folder, Listed(others));
  if (!archives.empty()) return Archives(folder, archives);
  return {.kind = ErrorKind::kNotFound,
          .problem = "folder holds no weights",
          .file = folder.string(),
          .expected = WhatIsRead()};
}

}  // namespace tensorguard::internal
