#include "paper/paper_features.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/json/json_members.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kLayerCountKey = "num_layers";
constexpr std::string_view kParametersKey = "total_params";
constexpr std::string_view kModelNameKey = "model_name";
constexpr std::string_view kSelectedTensorsKey = "selected_layers";

constexpr size_t kGlobalFeatures = 5;  // the first of the names below, which every file has
constexpr size_t kFeaturesPerKind = 3;
constexpr uint64_t kMostLayers = uint64_t{1} << 53;  // above, a double would round it

constexpr std::array<std::string_view, 18> kFeatureNames = {
    "global_mean",    "global_std",     "global_norm",    "global_skewness", "global_kurtosis",
    "attention_mean", "attention_std",  "attention_norm", "ffn_mean",        "ffn_std",
    "ffn_norm",       "embedding_mean", "embedding_std",  "embedding_norm",  "norm_mean",
    "norm_std",       "norm_norm",      kLayerCountKey,
};

constexpr size_t kMostSelectedTensors = size_t{1} << 20;

void ReadValue(std::string_view name, JsonMembers& members, PaperFeatures& features) {
  features.values.emplace(name, members.Real(name));
}

void ReadValues(JsonMembers& members, PaperFeatures& features) {
  const std::span<const std::string_view> names = kFeatureNames;
  for (const std::string_view name : names.first(kGlobalFeatures)) {
    ReadValue(name, members, features);
  }
  // The mean, std and norm of one kind of tensor: all three, or none where the model has no such
  // tensor.
  for (size_t i = kGlobalFeatures; i + 1 < names.size(); i += kFeaturesPerKind) {
    const auto of_kind = names.subspan(i, kFeaturesPerKind);
    if (std::ranges::none_of(of_kind, [&](auto name) { return members.Has(name); })) continue;
    for (const std::string_view name : of_kind) ReadValue(name, members, features);
  }
  features.values.emplace(kLayerCountKey,
                          static_cast<double>(members.Number(kLayerCountKey, 0, kMostLayers)));
}

Result<PaperFeatures> FromJson(const Json& object) {
  JsonMembers members(object, "");
  PaperFeatures features;
  ReadValues(members, features);
  features.total_params = members.Number(kParametersKey, 0, std::numeric_limits<uint64_t>::max());
  features.model_name = members.Text(kModelNameKey);
  if (features.model_name.empty()) members.Fail(kModelNameKey, "an empty text", "a name");
  features.selected_tensors = members.TextsIfThere(kSelectedTensorsKey, kMostSelectedTensors);
  TG_TRY(members.Check());
  return features;
}

}  // namespace

std::span<const std::string_view> PaperFeatureNames() { return kFeatureNames; }

Result<PaperFeatures> ReadPaperFeatures(const std::filesystem::path& path) {
  TG_ASSIGN(const auto json, ReadJsonFile(path));
  auto features = FromJson(json);
  if (!features) return std::move(features).error().InFile(path.string());
  return features;
}

std::string PaperFeaturesToJson(const PaperFeatures& features) {
  nlohmann::ordered_json object;
  for (const std::string_view name : kFeatureNames) {
    if (name == kLayerCountKey) continue;  // a whole number, and after total_params
    const auto value = features.values.find(name);
    if (value != features.values.end()) object[std::string(name)] = value->second;
  }
  object[std::string(kParametersKey)] = features.total_params;
  const auto layers = features.values.find(kLayerCountKey);
  if (layers != features.values.end()) {
    object[std::string(kLayerCountKey)] = static_cast<uint64_t>(layers->second);
  }
  object[std::string(kModelNameKey)] = features.model_name;
  object[std::string(kSelectedTensorsKey)] = features.selected_tensors;
  // ASCII only: Python opens a file in the machine's encoding, which need not be UTF-8.
  return object.dump(2, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + "\n";
}

}  // namespace tensorguard::internal
