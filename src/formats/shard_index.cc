#include "formats/shard_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

// "a/b.safetensors" is inside the folder; "/a", "a/../b", "a//b", "" and "." are not plain names.
// Control characters could end the name early where the system reads it.
bool IsPlainPathInside(std::string_view path) {
  if (std::any_of(path.begin(), path.end(), [](char c) { return c >= 0 && c < 0x20; })) {
    return false;
  }
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

Result<void> CheckShardPath(const std::string& shard, const FormatNames& names) {
  if (!IsPlainPathInside(shard)) {
    return Error{.problem = "index names a file outside of its folder",
                 .found = shard,
                 .expected = "a file name, or a path below the folder without \"..\""};
  }
  if (!IsWeightName(names, shard)) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = fmt::format("index names a file that is not {}", names.format),
                 .found = shard,
                 .expected = fmt::format("a name that ends in {}", names.suffixes[0])};
  }
  return {};
}

}  // namespace

Result<ShardIndex> ShardIndexFromJson(const Json& json, const FormatNames& names) {
  const std::string expected =
      fmt::format("\"weight_map\": {{\"TENSOR\": \"FILE{}\", ...}}", names.suffixes[0]);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object()) {
    return Error{.problem = "index has no weight_map", .expected = expected};
  }
  const Json& weight_map = json["weight_map"];
  if (weight_map.empty()) {
    return Error{.problem = "index names no tensors", .expected = expected};
  }

  std::map<std::string, uint32_t> shard_numbers;
  for (const auto& [tensor, shard] : weight_map.items()) {
    if (!shard.is_string()) {
      return Error{.problem = "index does not name the tensor's file",
                   .tensor = tensor,
                   .found = std::string(shard.type_name()),
                   .expected = expected};
    }
    const auto& name = shard.get_ref<const std::string&>();
    if (!shard_numbers.emplace(name, 0).second) continue;
    auto checked = CheckShardPath(name, names);
    if (!checked) return std::move(checked).error().InTensor(tensor);
  }

  ShardIndex index;
  for (auto& [name, number] : shard_numbers) {
    number = static_cast<uint32_t>(index.shards.size());
    index.shards.push_back(name);
  }
  index.tensors.reserve(weight_map.size());
  for (const auto& [tensor, shard] : weight_map.items()) {  // a map: sorted by name
    index.tensors.push_back({tensor, shard_numbers.at(shard.get_ref<const std::string&>())});
  }
  return index;
}

Result<ShardIndex> ReadShardIndex(const std::filesystem::path& path, const FileStore& files) {
  const FormatNames* named = FormatOfIndexName(path.filename().string());
  const FormatNames& names = named == nullptr ? ReadableFormats()[0] : *named;
  TG_ASSIGN(auto json, ReadJsonFile(files, path, kIndexJsonLimitBytes));
  auto index = ShardIndexFromJson(json, names);
  if (!index) return std::move(index).error().InFile(path.string());
  return index;
}

}  // namespace tensorguard::internal
