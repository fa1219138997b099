#include "weights/files/weight_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "base/folder_of.h"
#include "base/try.h"
#include "formats/onnx/onnx.h"
#include "formats/shard_names.h"
#include "formats/weight_format.h"
#include "weights/files/hub_cache.h"
#include "weights/files/links.h"
#include "weights/files/model_path_errors.h"
#include "weights/onnx/onnx_files.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr std::string_view kOnnxFolder = "onnx";

template <typename Predicate>
Names Where(const Names& names, Predicate predicate) {
  Names chosen;
  std::copy_if(names.begin(), names.end(), std::back_inserter(chosen), predicate);
  return chosen;
}

bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Names WeightsOf(const FormatNames& format, const Names& names) {
  return Where(names, [&](const std::string& name) { return IsWeightName(format, name); });
}

bool IsAdapterName(const FormatNames& format, std::string_view name) {
  return std::any_of(format.adapter_endings.begin(), format.adapter_endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

bool IsNumbered(std::string_view name) { return ParseShardName(name).has_value(); }

// "model.safetensors", where the name is reserved and there.
std::optional<std::string> MainFile(const FormatNames& format, const Names& weights) {
  if (format.main_stem.empty()) return {};
  for (const std::string_view suffix : format.suffixes) {
    std::string name = std::string(format.main_stem) + std::string(suffix);
    if (Contains(weights, name)) return name;
  }
  return {};
}

Names MainParts(const FormatNames& format, const Names& weights) {
  return Where(weights, [&](const std::string& name) { return IsMainPartName(format, name); });
}

// Where a folder cannot be listed, a model can only be found by the names that are usual.
Names UsualNames() {
  Names names;
  for (const FormatNames& format : ReadableFormats()) {
    if (format.main_stem.empty()) continue;
    const auto add = [&](std::string_view suffix) {
      if (!suffix.empty()) names.push_back(std::string(format.main_stem) + std::string(suffix));
    };
    add(format.index_suffix);
    for (const std::string_view suffix : format.suffixes) add(suffix);
  }
  return names;
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

// Of the shards that an index names.
Result<Names> MissingIn(const FileStore& store, const fs::path& folder, const Names& shards) {
  Names missing;
  for (const std::string& shard : shards) {
    TG_ASSIGN(const auto is_there, store.Exists(folder / shard));
    if (!is_there) missing.push_back(shard);
  }
  return missing;
}

Result<WeightFiles> FilesOfIndex(const FileStore& store, const fs::path& index_path,
                                 const Names& weights) {
  auto index = ReadShardIndex(index_path, store);
  if (!index) return std::move(index).error();
  const fs::path folder = index_path.parent_path();
  const auto missing = MissingIn(store, folder, index->shards);
  if (!missing) return missing.error();
  if (!missing->empty()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "shards that the index names are missing",
                 .file = index_path.string(),
                 .found = fmt::format("{} of {} missing: {}", missing->size(), index->shards.size(),
                                      Listed(*missing)),
                 .advice = "fetch the model again; the download was probably cut short"};
  }
  auto checked = CheckNoExtraShard(*index, weights);
  if (!checked) return std::move(checked).error().InFile(index_path.string());
  WeightFiles files = FilesOf(folder, index->shards);
  files.index = std::move(*index);
  return files;
}

Result<WeightFiles> FilesOfIndexedFolder(const FileStore& store, const fs::path& folder,
                                         const FormatNames& format, const Names& indexes,
                                         const Names& weights) {
  const std::string main = std::string(format.main_stem) + std::string(format.index_suffix);
  if (indexes.size() > 1 && !Contains(indexes, main)) return TwoModels(folder, indexes);
  const std::string& index = Contains(indexes, main) ? main : indexes[0];
  auto files = FilesOfIndex(store, folder / index, weights);
  if (!files) return files;
  const std::string stem = index.substr(0, index.size() - format.index_suffix.size());
  const std::string single = stem + std::string(format.suffixes[0]);
  if (Contains(weights, single) && !Contains(files->index->shards, single)) {
    return TwoModels(folder, {single, index});
  }
  return files;
}

// The parts that belong together with `part`.
Names PartsOfSet(const Names& names, const ShardName& part) {
  return Where(names, [&](const std::string& name) {
    const auto other = ParseShardName(name);
    return other && other->set == part.set && other->total == part.total;
  });
}

// "consolidated." and ".pth" of "consolidated.03.pth": a part of every tensor, for one of several
// processors, as Meta (consolidated) and Megatron and DeepSpeed (mp_rank) write them.
std::optional<std::string> ModelParallelFamily(std::string_view name) {
  for (const std::string_view stem : {"consolidated.", "mp_rank_"}) {
    if (!name.starts_with(stem)) continue;
    const size_t end = name.find_first_not_of("0123456789", stem.size());
    if (end == name.npos || end == stem.size()) continue;
    return std::string(stem) + std::string(name.substr(end));
  }
  return {};
}

// One such part alone is the whole model; of several none is, nor are they its shards.
Result<void> CheckNotModelParallel(const fs::path& path, const Names& names,
                                   const std::string& name) {
  const auto family = ModelParallelFamily(name);
  if (!family) return {};
  const Names parts =
      Where(names, [&](const std::string& other) { return ModelParallelFamily(other) == family; });
  if (parts.size() < 2) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "weights are split over several processors, which is not read",
               .file = path.string(),
               .found = Listed(parts),
               .expected = "whole tensors",
               .advice = "convert the model to the form of Hugging Face first"};
}

// One file or one set of any name. Of files whose first part names all, a folder often holds
// several models: each is listed by its first part.
Result<WeightFiles> OneFileOrSet(const fs::path& folder, const FormatNames& format,
                                 const Names& candidates) {
  TG_TRY(CheckNotModelParallel(folder, candidates, candidates[0]));
  const bool all_numbered = std::all_of(candidates.begin(), candidates.end(), IsNumbered);
  if (!all_numbered) {
    if (candidates.size() == 1) return FilesOf(folder, candidates);
    if (!format.first_part_names_all) return TwoModels(folder, candidates);
  }
  const auto first = ParseShardName(candidates[0]);
  const bool one_set = first && PartsOfSet(candidates, *first).size() == candidates.size();
  if (one_set || !format.first_part_names_all) return WholeSet(folder, candidates);
  return TwoModels(folder, Where(candidates, [](const std::string& name) {
                     const auto numbered = ParseShardName(name);
                     return !numbered || numbered->number <= 1;
                   }));
}

Result<WeightFiles> FilesWithoutIndex(const fs::path& folder, const FormatNames& format,
                                      const Names& weights) {
  const Names main_parts = MainParts(format, weights);
  if (const auto main = MainFile(format, weights)) {
    if (main_parts.empty()) return FilesOf(folder, {*main});
    return TwoModels(folder, {*main, main_parts[0]});
  }
  const bool main_set = std::all_of(main_parts.begin(), main_parts.end(), IsNumbered);
  if (main_set && !main_parts.empty()) return WholeSet(folder, main_parts);

  Names candidates =
      Where(weights, [&](const std::string& name) { return !IsAdapterName(format, name); });
  if (candidates.empty()) candidates = weights;
  return OneFileOrSet(folder, format, candidates);
}

bool IsOnnx(const FormatNames& format) { return format.suffixes[0] == kOnnxSuffix; }

Result<WeightFiles> OnnxFilesIn(const fs::path& folder, const Names& names) {
  TG_ASSIGN(auto files, OnnxFilesOfFolder(folder, names));
  return WeightFiles{.files = std::move(files), .index = {}};
}

// transformers.js keeps a model's exports in a folder "onnx" beside its config.
Result<Names> OnnxNamesBelow(const FileStore& store, const fs::path& folder) {
  TG_ASSIGN(const auto is_folder, store.IsFolder(folder / kOnnxFolder));
  if (!is_folder) return Names();
  auto names = store.FilesIn(folder / kOnnxFolder);
  if (!names) return names;
  return Where(*names, [](const std::string& name) { return name.ends_with(kOnnxSuffix); });
}

// What the folder holds in one format, if anything.
std::optional<Result<WeightFiles>> FilesInFormat(const FileStore& store, const fs::path& folder,
                                                 const FormatNames& format, const Names& names) {
  const Names weights = WeightsOf(format, names);
  if (IsOnnx(format)) {
    if (weights.empty()) return {};
    return OnnxFilesIn(folder, weights);
  }
  const Names indexes =
      Where(names, [&](const std::string& name) { return FormatOfIndexName(name) == &format; });
  if (!indexes.empty()) return FilesOfIndexedFolder(store, folder, format, indexes, weights);
  if (!weights.empty()) return FilesWithoutIndex(folder, format, weights);
  return {};
}

Result<WeightFiles> FilesOfIndexPath(const FileStore& store, const fs::path& path,
                                     const FormatNames& format) {
  const fs::path folder = FolderOf(path);
  TG_ASSIGN(auto names, store.FilesIn(folder));
  return FilesOfIndex(store, folder / path.filename(), WeightsOf(format, names));
}

// The row of the file's suffix, or null.
const FormatNames* FormatOfName(std::string_view name) {
  const auto formats = ReadableFormats();
  const auto format = std::find_if(formats.begin(), formats.end(),
                                   [&](const FormatNames& row) { return IsWeightName(row, name); });
  return format == formats.end() ? nullptr : &*format;
}

// The names of all parts, by that of one, with numbers as wide as its number.
Names UsualParts(const std::string& name, const ShardName& part) {
  constexpr uint32_t kMostParts = 1000;
  const size_t width = name.find('-', part.set.size()) - part.set.size();
  const std::string rest = name.substr(part.set.size() + width);
  Names parts;
  for (uint32_t number = 1; number <= std::min(part.total, kMostParts); ++number) {
    parts.push_back(fmt::format("{}{:0{}}{}", part.set, number, width, rest));
  }
  return parts;
}

// As llama.cpp has it, the first part of a split model stands for all.
Result<WeightFiles> FilesOfFirstPart(const FileStore& store, const fs::path& path,
                                     const FormatNames& format, const ShardName& part) {
  const fs::path folder = FolderOf(path);
  TG_ASSIGN(auto names, store.FilesIn(folder, UsualParts(path.filename().string(), part)));
  Names parts = PartsOfSet(WeightsOf(format, names), part);
  if (parts.empty()) parts.push_back(path.filename().string());  // opening it says it is missing
  return WholeSet(folder, parts);
}

Result<WeightFiles> FilesOfFile(const FileStore& store, const fs::path& path) {
  const std::string name = path.filename().string();
  if (const FormatNames* format = FormatOfIndexName(name))
    return FilesOfIndexPath(store, path, *format);
  if (const auto other = OtherWeightFormatOfName(name)) return NotRead(path, std::string(*other));
  const auto shard = ParseShardName(name);
  const FormatNames* format = FormatOfName(name);
  if (format != nullptr && IsOnnx(*format)) {
    TG_ASSIGN(auto files, OnnxFilesOfFile(path, store));
    return WeightFiles{.files = std::move(files), .index = {}};
  }
  const bool first_names_all = format != nullptr && format->first_part_names_all;
  if (shard && shard->number == 1 && first_names_all) {
    return FilesOfFirstPart(store, path, *format, *shard);
  }
  if (shard && shard->total > 1) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = fmt::format("one shard of {}, not a whole model", shard->total),
                 .file = path.string(),
                 .advice = first_names_all ? "give the path of the first part"
                                           : "give the path of the folder"};
  }
  if (ModelParallelFamily(name)) {
    TG_ASSIGN(const auto names, store.FilesIn(FolderOf(path)));
    TG_TRY(CheckNotModelParallel(path, names, name));
  }
  if (path.extension() == ".json") {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "a JSON file holds no weights",
                 .file = path.string(),
                 .advice = "give the path of the model's folder"};
  }
  TG_ASSIGN(auto file, store.Open(path));
  std::string start(std::min<uint64_t>(file->size_bytes(), 8), '\0');
  TG_TRY(file->ReadAt(0, std::as_writable_bytes(std::span(start))));
  if (const auto other = OtherWeightFormatOfBytes(start)) return NotRead(path, std::string(*other));
  return WeightFiles{.files = {path}, .index = {}};
}

Result<WeightFiles> FindFilesOfFolder(const fs::path& folder, const FileStore& store) {
  TG_ASSIGN(auto names, store.FilesIn(folder, UsualNames()));
  for (const FormatNames& format : ReadableFormats()) {
    if (auto files = FilesInFormat(store, folder, format, names)) return *std::move(files);
  }
  TG_ASSIGN(const auto below, OnnxNamesBelow(store, folder));
  if (!below.empty()) return OnnxFilesIn(folder / kOnnxFolder, below);
  return NoWeights(store, folder, names);
}

// The file that was `named` may be a link to anywhere: who named it knows.
Result<void> CheckLinks(const fs::path& folder, const std::vector<fs::path>& files,
                        const fs::path& named) {
  if (IsInHubCache(folder)) return {};
  for (const fs::path& file : files) {
    if (file == named || !LeadsOutOf(folder, file)) continue;
    return Error{.problem = "weights are a link that leads out of the model's folder",
                 .file = file.string(),
                 .expected = "files of the folder, or links into a Hub cache",
                 .advice = "give the path that the link names"};
  }
  return {};
}

}  // namespace

Result<WeightFiles> FindWeightFilesIn(const fs::path& folder, const FileStore& store) {
  TG_ASSIGN(auto found, FindFilesOfFolder(folder, store));
  TG_TRY(CheckLinks(folder, found.files, {}));
  return found;
}

Result<WeightFiles> FindWeightFiles(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(const auto is_folder, files.IsFolder(path));
  if (!is_folder) {
    TG_ASSIGN(const auto exists, files.Exists(path));
    if (exists) {
      TG_ASSIGN(auto found, FilesOfFile(files, path));
      TG_TRY(CheckLinks(FolderOf(path), found.files, path));
      return found;
    }
    return Error{
        .kind = ErrorKind::kNotFound, .problem = "no such file or folder", .file = path.string()};
  }
  TG_ASSIGN(const auto place, PlaceOfFolder(path, files));
  return FindWeightFilesIn(place, files);
}

}  // namespace tensorguard::internal
