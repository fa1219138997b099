#include "model/notes_on_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "weights/files/model_path_errors.h"
#include "weights/files/stored_weights.h"
#include "weights/files/weight_files.h"

namespace tensorguard::internal {
namespace {

// Tensors of which numbers are looked at, and how many numbers.
constexpr size_t kTensors = 16;
constexpr size_t kNumbers = 64;
// Half a step of bfloat16, which one of two formats may round to.
constexpr float kRounding = 1.0f / 256;

bool Differ(std::span<const float> a, std::span<const float> b) {
  float largest = 0;
  for (const float value : a) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < a.size(); ++i) {
    const float least = std::max(std::abs(a[i]), largest * 1e-3f);
    if (!(std::abs(a[i] - b[i]) <= 2 * kRounding * least) &&
        !(std::isnan(a[i]) && std::isnan(b[i])))
      return true;
  }
  return false;
}

// Numbers in the middle of both; what cannot be read does not differ.
bool TensorsDiffer(const WeightSource& a, size_t in_a, const WeightSource& b, size_t in_b) {
  const TensorInfo& tensor = a.tensors()[in_a];
  if (tensor.shape != b.tensors()[in_b].shape) return true;
  std::array<float, kNumbers> values_a;
  std::array<float, kNumbers> values_b;
  const size_t count = std::min<uint64_t>(kNumbers, tensor.element_count);
  const uint64_t first = (tensor.element_count - count) / 2;
  if (!a.ReadFloat32(in_a, first, std::span(values_a).first(count))) return false;
  if (!b.ReadFloat32(in_b, first, std::span(values_b).first(count))) return false;
  return Differ(std::span(values_a).first(count), std::span(values_b).first(count));
}

// The name of a tensor that is in both and has other numbers.
std::optional<std::string> FindDifference(const WeightSource& weights, const WeightSource& other) {
  std::map<std::string_view, size_t> named;
  for (size_t i = 0; i < other.tensors().size(); ++i) named.emplace(other.tensors()[i].name, i);
  std::vector<std::pair<size_t, size_t>> common;
  for (size_t i = 0; i < weights.tensors().size(); ++i) {
    const auto found = named.find(weights.tensors()[i].name);
    if (found != named.end()) common.emplace_back(i, found->second);
  }
  const size_t looked = std::min(kTensors, common.size());
  for (size_t i = 0; i < looked; ++i) {
    const auto [in_weights, in_other] = common[i * common.size() / looked];
    if (TensorsDiffer(weights, in_weights, other, in_other)) {
      return weights.tensors()[in_weights].name;
    }
  }
  return {};
}

std::string NamesOf(const std::vector<std::filesystem::path>& files) {
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.filename().string());
  return Listed(names);
}

// Folders of a sentence encoder's further modules that hold weights: "2_Dense".
std::vector<std::string> ModulesWithWeights(const std::filesystem::path& folder,
                                            const FileStore& files) {
  constexpr size_t kMostLookedInto = 64;
  std::vector<std::string> modules;
  const auto listed = files.Exists(folder / "modules.json");
  if (!listed || !*listed) return modules;
  auto folders = files.FoldersIn(folder);
  if (!folders) return modules;
  folders->resize(std::min(folders->size(), kMostLookedInto));
  for (const std::string& name : *folders) {
    const auto inside = files.FilesIn(folder / name);
    if (inside && WholeModelIn(*inside)) modules.push_back(name);
  }
  return modules;
}

}  // namespace

void AddNotesOnFiles(const ModelFiles& found, const WeightSource& weights,
                     const FileStorePtr& files, std::vector<std::string>& notes) {
  if (found.leftover_adapter_config) {
    notes.push_back("adapter_config.json lies beside a whole model and no adapter: it is not used");
  }
  if (!found.weights || found.path.string().find("://") != std::string::npos) return;
  std::set<std::string> told;
  for (const WeightFiles& other : found.weights->in_other_formats) {
    for (const auto& file : other.files) told.insert(file.filename().string());
    // One that cannot be read is not what was asked for.
    const auto opened = OpenStoredModel(other, files);
    if (!opened) continue;
    const auto difference = FindDifference(weights, *opened->weights);
    if (!difference) continue;
    notes.push_back(
        fmt::format("{} beside {} holds other numbers (of {}, say): give its path if that is meant",
                    NamesOf(other.files), NamesOf(found.weights->files), *difference));
  }
  if (found.is_folder) {
    const auto modules = ModulesWithWeights(found.folder, *files);
    if (!modules.empty()) {
      notes.push_back(
          fmt::format("modules.json names further modules, whose weights are not read: "
                      "{}",
                      Listed(modules)));
    }
  }
  std::vector<std::string> beside;
  for (const std::string& name : found.weights->beside) {
    if (!told.contains(name)) beside.push_back(name);
  }
  if (beside.empty()) return;
  notes.push_back(
      fmt::format("other files of weights lie beside and were not read: {}", Listed(beside)));
}

}  // namespace tensorguard::internal
