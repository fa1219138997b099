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
#include "weights/files/index_files.h"
#include "weights/files/links.h"
#include "weights/files/model_path_errors.h"
#include "weights/files/parallel_files.h"
#include "weights/files/training_files.h"
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
  if (const Names shares = NativeShares(weights, names); !shares.empty()) {
    return FilesOf(folder, shares);
  }
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

// Whether the folder holds what the format reserves for a whole model: an index, "model" with its
// suffix, or numbered parts of it.
bool HoldsReserved(const FormatNames& format, const Names& names) {
  const Names weights = WeightsOf(format, names);
  const Names parts = MainParts(format, weights);
  return MainFile(format, weights).has_value() ||
         std::any_of(parts.begin(), parts.end(), IsNumbered) ||
         std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return FormatOfIndexName(name) == &format; });
}

// A stale index, say, beside a whole model in another format: that may be what is meant.
Error WithOtherFormat(Error error, const fs::path& folder, const FormatNames& format,
                      const Names& names) {
  for (const FormatNames& other : ReadableFormats()) {
    if (&other == &format || !HoldsReserved(other, names)) continue;
    const auto main = MainFile(other, WeightsOf(other, names));
    const std::string index = std::string(other.main_stem) + std::string(other.index_suffix);
    const fs::path path = folder / (main ? *main : index);
    error.advice += fmt::format("{}give the path of the model in {}, if that is whole: {}",
                                error.advice.empty() ? "" : "; or ", other.format, path.string());
    break;
  }
  return error;
}

// Files of weights in the folder that are no part of `found`.
Names FilesBeside(const Names& names, const WeightFiles& found) {
  std::set<std::string> own;
  for (const fs::path& file : found.files) own.insert(file.filename().string());
  return Where(names, [&](const std::string& name) {
    const auto formats = ReadableFormats();
    return !own.contains(name) &&
           std::any_of(formats.begin(), formats.end(),
                       [&](const FormatNames& format) { return IsWeightName(format, name); });
  });
}

// The same model in a second format, as its names say; an error of it is none of the model.
std::vector<WeightFiles> InOtherFormats(const FileStore& store, const fs::path& folder,
                                        const FormatNames& format, const Names& names) {
  std::vector<WeightFiles> others;
  for (const FormatNames& other : ReadableFormats()) {
    if (&other == &format || !HoldsReserved(other, names)) continue;
    auto found = FilesInFormat(store, folder, other, names);
    if (found && *found) others.push_back(**std::move(found));
  }
  return others;
}

// Names that are reserved for a whole model go before files of any name in an earlier format.
Result<WeightFiles> FindFilesOfFolder(const fs::path& folder, const FileStore& store) {
  TG_ASSIGN(auto names, store.FilesIn(folder, NamesOfWholeModels()));
  for (const bool reserved : {true, false}) {
    if (!reserved) TG_TRY(CheckNotSharded(folder, names));
    for (const FormatNames& format : ReadableFormats()) {
      if (reserved && !HoldsReserved(format, names)) continue;
      auto files = FilesInFormat(store, folder, format, names);
      if (!files) continue;
      if (!*files) return WithOtherFormat(std::move(*files).error(), folder, format, names);
      (*files)->beside = FilesBeside(names, **files);
      (*files)->in_other_formats = InOtherFormats(store, folder, format, names);
      return *std::move(files);
    }
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

// Where a folder cannot be listed, a model can only be found by these.
std::vector<std::string> NamesOfWholeModels() {
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

std::optional<std::string> WholeModelIn(const Names& names) {
  for (const FormatNames& format : ReadableFormats()) {
    const Names weights = WeightsOf(format, names);
    const Names indexes =
        Where(names, [&](const std::string& name) { return FormatOfIndexName(name) == &format; });
    if (!indexes.empty()) return indexes.front();
    if (const auto main = MainFile(format, weights)) return main;
    const Names parts = Where(MainParts(format, weights), IsNumbered);
    if (!parts.empty()) return parts.front();
  }
  return {};
}

Result<WeightFiles> FindWeightFilesIn(const fs::path& folder, const FileStore& store) {
  TG_ASSIGN(auto found, FindFilesOfFolder(folder, store));
  TG_TRY(CheckLinks(folder, found.files, {}));
  std::erase_if(found.in_other_formats,
                [&](const WeightFiles& other) { return !CheckLinks(folder, other.files, {}); });
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
