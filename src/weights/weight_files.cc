#include "weights/weight_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "formats/gguf.h"
#include "formats/shard_names.h"
#include "formats/weight_format.h"
#include "weights/hub_cache.h"

namespace tensorguard {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kMainFile = "model.safetensors";
constexpr std::string_view kMainIndex = "model.safetensors.index.json";
constexpr std::string_view kWhatIsRead =
    "safetensors: one file, numbered shards (model-00001-of-00003.safetensors), or an index "
    "(model.safetensors.index.json) and its shards; GGUF: one file or numbered parts";

std::string Listed(const Names& names) {
  constexpr size_t kMostListed = 5;
  std::string list;
  for (size_t i = 0; i < std::min(names.size(), kMostListed); ++i) {
    list += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMostListed) list += fmt::format(" and {} more", names.size() - kMostListed);
  return list;
}

template <typename Predicate>
Names Where(const Names& names, Predicate predicate) {
  Names chosen;
  std::copy_if(names.begin(), names.end(), std::back_inserter(chosen), predicate);
  return chosen;
}

bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Sorted names of what lies in `folder`, other than folders.
Result<Names> ListFolder(const fs::path& folder) {
  Names names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;  // a broken link is listed, and reported when it is opened
    if (!entry->is_directory(ignored)) names.push_back(entry->path().filename().string());
  }
  if (error) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = fmt::format("cannot list the folder: {}", error.message()),
                 .file = folder.string()};
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Our own results have the suffix too, and are never a model.
bool IsWeightName(std::string_view name) {
  return name.ends_with(kSafetensors) && !name.ends_with(".fingerprint.safetensors");
}

bool IsAdapterName(std::string_view name) {
  return name == "adapter_model.safetensors" || name.ends_with("adapters.safetensors");
}

bool IsNumbered(std::string_view name) { return ParseShardName(name).has_value(); }

// Of what takes the place of model.safetensors: its shards, or unnumbered parts (model-vision).
bool IsMainPart(std::string_view name) {
  return name.starts_with("model-") || name.starts_with("model_");
}

// What to say about a folder or file that holds weights of other formats only.
Error NotRead(const fs::path& path, std::string found) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "weights are in a format that is not read",
          .file = path.string(),
          .found = std::move(found),
          .expected = std::string(kWhatIsRead),
          .advice = "save the model as safetensors first"};
}

Error NoWeights(const fs::path& folder, const Names& names) {
  Names others;
  for (const std::string& name : names) {
    if (const auto format = OtherWeightFormatOfName(name)) {
      others.push_back(fmt::format("{} ({})", name, *format));
    }
  }
  if (!others.empty()) return NotRead(folder, Listed(others));
  return {.kind = ErrorKind::kNotFound,
          .problem = "folder holds no weights",
          .file = folder.string(),
          .expected = std::string(kWhatIsRead)};
}

WeightFiles FilesOf(const fs::path& folder, const Names& names) {
  WeightFiles files;
  for (const std::string& name : names) files.files.push_back(folder / name);
  return files;
}

Result<WeightFiles> WholeSet(const fs::path& folder, const Names& shards) {
  auto checked = CheckShardSet(shards);
  if (!checked) return std::move(checked).error().InFile(folder.string());
  return FilesOf(folder, shards);
}

// A file numbered as one of the index's own shards that the index does not name.
Result<void> CheckNoExtraShard(const ShardIndex& index, const Names& weights) {
  std::set<std::string> sets;
  for (const std::string& shard : index.shards) {
    if (const auto parsed = ParseShardName(shard)) sets.insert(parsed->set);
  }
  for (const std::string& name : weights) {
    const auto parsed = ParseShardName(name);
    if (!parsed || !sets.contains(parsed->set) || Contains(index.shards, name)) continue;
    return Error{
        .problem = "shard lies beside the index, but the index does not name it",
        .found = name,
        .expected = fmt::format("{} shards: {}", index.shards.size(), Listed(index.shards)),
        .advice = "remove the file if it belongs to another version of the model"};
  }
  return {};
}

Result<WeightFiles> FilesOfIndex(const fs::path& index_path, const Names& weights) {
  auto index = ReadShardIndex(index_path);
  if (!index) return std::move(index).error();
  const fs::path folder = index_path.parent_path();
  const Names missing = Where(index->shards, [&](const std::string& shard) {
    std::error_code ignored;
    return !fs::exists(folder / shard, ignored);
  });
  if (!missing.empty()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "shards that the index names are missing",
                 .file = index_path.string(),
                 .found = fmt::format("{} of {} missing: {}", missing.size(), index->shards.size(),
                                      Listed(missing)),
                 .advice = "fetch the model again; the download was probably cut short"};
  }
  auto checked = CheckNoExtraShard(*index, weights);
  if (!checked) return std::move(checked).error().InFile(index_path.string());
  WeightFiles files = FilesOf(folder, index->shards);
  files.index = std::move(*index);
  return files;
}

Error TwoModels(const fs::path& folder, const Names& names) {
  return {.kind = ErrorKind::kUsage,
          .problem = "folder holds more than one model",
          .file = folder.string(),
          .found = Listed(names),
          .advice = "give the path of one weight file or index"};
}

Result<WeightFiles> FilesOfIndexedFolder(const fs::path& folder, const Names& indexes,
                                         const Names& weights) {
  if (indexes.size() > 1 && !Contains(indexes, kMainIndex)) return TwoModels(folder, indexes);
  const std::string index(Contains(indexes, kMainIndex) ? kMainIndex : indexes[0]);
  auto files = FilesOfIndex(folder / index, weights);
  if (!files) return files;
  const std::string stem = index.substr(0, index.size() - kShardIndexSuffix.size());
  const std::string single = stem + std::string(kSafetensors);
  if (Contains(weights, single) && !Contains(files->index->shards, single)) {
    return TwoModels(folder, {single, index});
  }
  return files;
}

Result<WeightFiles> FilesWithoutIndex(const fs::path& folder, const Names& weights) {
  const Names main_parts = Where(weights, IsMainPart);
  if (Contains(weights, kMainFile)) {
    if (main_parts.empty()) return FilesOf(folder, {std::string(kMainFile)});
    return TwoModels(folder, {std::string(kMainFile), main_parts[0]});
  }
  const bool main_set = std::all_of(main_parts.begin(), main_parts.end(), IsNumbered);
  if (main_set && !main_parts.empty()) return WholeSet(folder, main_parts);

  Names candidates = Where(weights, [](const std::string& name) { return !IsAdapterName(name); });
  if (candidates.empty()) candidates = weights;
  const Names numbered = Where(candidates, IsNumbered);
  if (numbered.size() == candidates.size()) return WholeSet(folder, numbered);
  if (candidates.size() == 1) return FilesOf(folder, candidates);
  return TwoModels(folder, candidates);
}

// A vision projector beside its language model is no model.
bool IsGgufModelName(std::string_view name) {
  return name.ends_with(kGgufSuffix) && !name.starts_with("mmproj");
}

// The parts that belong together with `part`.
Names PartsOfSet(const Names& names, const ShardName& part) {
  return Where(names, [&](const std::string& name) {
    const auto other = ParseShardName(name);
    return other && other->set == part.set && other->total == part.total;
  });
}

// GGUF files, of which a folder often holds several: one model in several types.
Result<WeightFiles> FilesOfGgufFolder(const fs::path& folder, const Names& files) {
  if (files.size() == 1 && !IsNumbered(files[0])) return FilesOf(folder, files);
  const auto part = ParseShardName(files[0]);
  if (part && PartsOfSet(files, *part).size() == files.size()) return WholeSet(folder, files);
  // Of a set its first part, which names them all.
  return TwoModels(folder, Where(files, [](const std::string& name) {
                     const auto numbered = ParseShardName(name);
                     return !numbered || numbered->number <= 1;
                   }));
}

Result<WeightFiles> FilesOfFolder(const fs::path& folder) {
  auto names = ListFolder(folder);
  if (!names) return std::move(names).error();
  const Names weights = Where(*names, IsWeightName);
  const Names indexes =
      Where(*names, [](const std::string& name) { return name.ends_with(kShardIndexSuffix); });
  if (!indexes.empty()) return FilesOfIndexedFolder(folder, indexes, weights);
  const Names ggufs = Where(*names, IsGgufModelName);
  if (weights.empty() && !ggufs.empty()) return FilesOfGgufFolder(folder, ggufs);
  if (weights.empty()) return NoWeights(folder, *names);
  return FilesWithoutIndex(folder, weights);
}

Result<WeightFiles> FilesOfIndexPath(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  auto names = ListFolder(folder);
  if (!names) return std::move(names).error();
  return FilesOfIndex(folder / path.filename(), Where(*names, IsWeightName));
}

// As llama.cpp has it, the first part of a split model stands for all.
Result<WeightFiles> FilesOfFirstPart(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  auto names = ListFolder(folder);
  if (!names) return std::move(names).error();
  const std::string name = path.filename().string();
  Names parts = PartsOfSet(Where(*names, IsGgufModelName), *ParseShardName(name));
  if (parts.empty()) parts.push_back(name);  // not there: opening it says so
  return WholeSet(folder, parts);
}

Result<WeightFiles> FilesOfFile(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.ends_with(kShardIndexSuffix)) return FilesOfIndexPath(path);
  if (const auto format = OtherWeightFormatOfName(name)) return NotRead(path, std::string(*format));
  const auto shard = ParseShardName(name);
  if (shard && shard->number == 1 && name.ends_with(kGgufSuffix)) return FilesOfFirstPart(path);
  if (shard && shard->total > 1) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = fmt::format("one shard of {}, not a whole model", shard->total),
                 .file = path.string(),
                 .advice = name.ends_with(kGgufSuffix) ? "give the path of the first part"
                                                       : "give the path of the folder"};
  }
  if (path.extension() == ".json") {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "a JSON file holds no weights",
                 .file = path.string(),
                 .advice = "give the path of the model's folder"};
  }
  auto file = File::Open(path);
  if (!file) return std::move(file).error();
  std::string start(std::min<uint64_t>((*file)->size_bytes(), 8), '\0');
  auto read = (*file)->ReadAt(0, std::as_writable_bytes(std::span(start)));
  if (!read) return std::move(read).error();
  if (const auto format = OtherWeightFormatOfBytes(start))
    return NotRead(path, std::string(*format));
  return WeightFiles{.files = {path}, .index = {}};
}

}  // namespace

Result<WeightFiles> FindWeightFiles(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return Error{
        .kind = ErrorKind::kNotFound, .problem = "no such file or folder", .file = path.string()};
  }
  if (!fs::is_directory(status)) return FilesOfFile(path);
  if (!IsHubCacheFolder(path)) return FilesOfFolder(path);
  auto snapshot = ResolveHubCache(path);
  if (!snapshot) return std::move(snapshot).error();
  return FilesOfFolder(*snapshot);
}

}  // namespace tensorguard
