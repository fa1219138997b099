#include "weights/files/index_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "formats/shard_names.h"
#include "formats/weight_format.h"
#include "weights/files/model_path_errors.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
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

// A whole set beside an index of another sharding: its first part. Empty if there is none.
std::optional<std::string> OtherWholeSet(const Names& weights) {
  std::map<std::pair<std::string, uint32_t>, Names> sets;
  for (const std::string& name : weights) {
    if (const auto shard = ParseShardName(name)) sets[{shard->set, shard->total}].push_back(name);
  }
  for (const auto& [set, names] : sets) {
    if (CheckShardSet(names)) return names.front();
  }
  return {};
}

std::string WayOut(const fs::path& index_path, const Names& missing, const Names& shards,
                   const Names& weights) {
  const fs::path folder = index_path.parent_path();
  for (const std::string& name : weights) {
    const FormatNames* format = FormatOfWeightName(name);
    if (format != nullptr && IsMainName(*format, name) && !Contains(shards, name)) {
      return fmt::format("if {} is the whole model, give its path: {}", name,
                         (folder / name).string());
    }
  }
  if (const auto first = OtherWholeSet(weights)) {
    return fmt::format(
        "{} and its like are a whole set: move {}, which is of another sharding, "
        "out of the folder",
        *first, index_path.filename().string());
  }
  if (missing.size() == shards.size() && weights.empty()) {
    return fmt::format(
        "fetch the model again; if it is not in this format, move {} out of the "
        "folder",
        index_path.filename().string());
  }
  return "fetch the model again; the download was probably cut short";
}

}  // namespace

Result<WeightFiles> FilesOfIndex(const FileStore& store, const fs::path& index_path,
                                 const Names& weights) {
  TG_ASSIGN(auto index, ReadShardIndex(index_path, store));
  const fs::path folder = index_path.parent_path();
  TG_ASSIGN(const auto missing, MissingIn(store, folder, index.shards));
  if (!missing.empty()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "shards that the index names are missing",
                 .file = index_path.string(),
                 .found = fmt::format("{} of {} missing: {}", missing.size(), index.shards.size(),
                                      Listed(missing)),
                 .advice = WayOut(index_path, missing, index.shards, weights)};
  }
  auto checked = CheckNoExtraShard(index, weights);
  if (!checked) return std::move(checked).error().InFile(index_path.string());
  WeightFiles files;
  for (const std::string& shard : index.shards) files.files.push_back(folder / shard);
  files.index = std::move(index);
  return files;
}

}  // namespace tensorguard::internal
