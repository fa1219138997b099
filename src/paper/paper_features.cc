#include "paper/paper_features.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "base/json.h"
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

Error BadValue(std::string_view key, std::string expected, const Json& value) {
  return {.problem = fmt::format("the value of \"{}\" is unusable", key),
          .found = value.dump(-1, ' ', true, Json::error_handler_t::replace),
          .expected = std::move(expected)};
}

Result<const Json*> Find(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end()) return Error{.problem = fmt::format("key \"{}\" is missing", key)};
  return &*found;
}

Result<double> ReadNumber(const Json& object, std::string_view key) {
  TG_ASSIGN(const auto value, Find(object, key));
  const bool finite = value->is_number() && std::isfinite(value->get<double>());
  if (!finite) return BadValue(key, "a finite number", *value);
  return value->get<double>();
}

Result<uint64_t> ReadCount(const Json& object, std::string_view key) {
  TG_ASSIGN(const auto value, Find(object, key));
  if (!value->is_number_unsigned()) return BadValue(key, "a whole number, 0 or more", *value);
  return value->get<uint64_t>();
}

// The mean, std and norm of one kind of tensor: all three, or none where the model has no such
// tensor.
Result<void> ReadKind(const Json& object, std::span<const std::string_view> names,
                      PaperFeatures& features) {
  bool present = false;
  for (const std::string_view name : names) present = present || object.contains(name);
  if (!present) return {};
  for (const std::string_view name : names) {
    TG_ASSIGN(const auto value, ReadNumber(object, name));
    features.values.emplace(name, value);
  }
  return {};
}

Result<void> ReadValues(const Json& object, PaperFeatures& features) {
  const std::span<const std::string_view> names = kFeatureNames;
  for (const std::string_view name : names.first(kGlobalFeatures)) {
    TG_ASSIGN(const auto value, ReadNumber(object, name));
    features.values.emplace(name, value);
  }
  for (size_t i = kGlobalFeatures; i + 1 < names.size(); i += kFeaturesPerKind) {
    auto read = ReadKind(object, names.subspan(i, kFeaturesPerKind), features);
    if (!read) return read;
  }
  TG_ASSIGN(const auto layers, ReadCount(object, kLayerCountKey));
  if (layers > kMostLayers) {
    return BadValue(kLayerCountKey, fmt::format("at most {}", kMostLayers), layers);
  }
  features.values.emplace(kLayerCountKey, static_cast<double>(layers));
  return {};
}

Result<std::vector<std::string>> ReadSelectedTensors(const Json& object) {
  std::vector<std::string> tensors;
  const auto list = object.find(kSelectedTensorsKey);
  if (list == object.end()) return tensors;
  if (!list->is_array()) return BadValue(kSelectedTensorsKey, "a list of tensor names", *list);
  for (const Json& name : *list) {
    if (!name.is_string()) return BadValue(kSelectedTensorsKey, "tensor names only", name);
    tensors.push_back(name.get<std::string>());
  }
  return tensors;
}

Result<PaperFeatures> FromJson(const Json& object) {
  if (!object.is_object()) return Error{.problem = "not a JSON object with features"};
  PaperFeatures features;
  TG_TRY(ReadValues(object, features));

  TG_ASSIGN(const auto parameters, ReadCount(object, kParametersKey));
  features.total_params = parameters;

  const auto name = Find(object, kModelNameKey);
  if (!name) return name.error();
  if (!(*name)->is_string() || (*name)->get_ref<const std::string&>().empty()) {
    return BadValue(kModelNameKey, "a name", **name);
  }
  features.model_name = (*name)->get<std::string>();

  TG_ASSIGN(auto tensors, ReadSelectedTensors(object));
  features.selected_tensors = std::move(tensors);
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
