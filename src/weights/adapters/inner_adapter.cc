#include "weights/adapters/inner_adapter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/adapters/adapter.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/adapter_names.h"
#include "weights/selected_weights.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kLoraWords = {
    "lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector"};
constexpr std::string_view kSavedModules = "modules_to_save";

// A tensor's name around a word that only a wrapper of an adapter has: "X", "lora_A", "default" and
// "weight" of "X.lora_A.default.weight".
struct WrappedName {
  std::string_view module;
  std::string_view word;
  std::string_view adapter;    // may be empty
  std::string_view parameter;  // may be empty
};

std::optional<WrappedName> FindWord(std::string_view name, std::string_view word) {
  const size_t at = name.find(fmt::format(".{}", word));
  if (at == name.npos) return {};
  const size_t end = at + 1 + word.size();
  if (end < name.size() && name[end] != '.') return {};
  WrappedName found = {.module = name.substr(0, at), .word = word, .adapter = {}, .parameter = {}};
  if (end == name.size()) return found;
  const std::string_view rest = name.substr(end + 1);
  const size_t dot = rest.rfind('.');
  const bool is_parameter = rest == "weight" || rest == "bias";
  if (dot != rest.npos) {
    found.adapter = rest.substr(0, dot);
    found.parameter = rest.substr(dot + 1);
  } else {
    (is_parameter ? found.parameter : found.adapter) = rest;
  }
  return found;
}

std::optional<WrappedName> FindLora(std::string_view name) {
  for (const std::string_view word : kLoraWords) {
    if (const auto found = FindWord(name, word)) return found;
  }
  return {};
}

// "X.lora_A.weight", as an adapter's own file has it.
std::string NameInAdapter(const WrappedName& lora) {
  const bool table = lora.word.find("embedding") != lora.word.npos;
  const bool bare = table || lora.word == "lora_magnitude_vector";
  const std::string_view parameter = lora.parameter.empty() ? "weight" : lora.parameter;
  return bare ? fmt::format("{}.{}", lora.module, lora.word)
              : fmt::format("{}.{}.{}", lora.module, lora.word, parameter);
}

std::string WithoutWord(std::string name, std::string_view word) {
  const std::string inside = fmt::format(".{}.", word);
  const size_t at = name.find(inside);
  if (at != name.npos) name.erase(at + 1, word.size() + 1);
  return name;
}

// The tensors of a checkpoint by whose they are.
struct Sorted {
  std::vector<SelectedTensor> base;
  std::vector<SelectedTensor> adapter;
  std::set<std::string> adapters;  // their names
  std::string first_lora;
  bool changes_base = false;  // some matrix of the base is the target of one
};

Sorted Sort(const std::vector<TensorInfo>& tensors) {
  Sorted sorted;
  std::set<std::string_view> modules;
  for (const TensorInfo& tensor : tensors) {
    if (const auto lora = FindLora(tensor.name)) modules.insert(lora->module);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].name;
    if (const auto lora = FindLora(name)) {
      if (sorted.first_lora.empty()) sorted.first_lora = name;
      sorted.adapters.insert(std::string(lora->adapter));
      sorted.adapter.push_back({i, NameInAdapter(*lora)});
      continue;
    }
    if (const auto saved = FindWord(name, kSavedModules); saved && !modules.empty()) {
      sorted.adapter.push_back({i, fmt::format("{}.{}", saved->module, saved->parameter)});
      continue;
    }
    std::string own = WithoutWord(WithoutWord(name, "base_layer"), "original_module");
    const size_t dot = own.rfind('.');
    if (dot != own.npos)
      sorted.changes_base |= modules.contains(std::string_view(own).substr(0, dot));
    sorted.base.push_back({i, std::string(WithoutModelWrapper(own))});
  }
  return sorted;
}

// Settings for each of a model's own adapters: "vision_lora".
bool StatesOwnAdapters(const Json& config, const std::set<std::string>& adapters) {
  return config.is_object() && std::any_of(adapters.begin(), adapters.end(), [&](const auto& name) {
           return !name.empty() && config.contains(name + "_lora");
         });
}

Result<std::optional<AdapterConfig>> StatedConfig(const Json& config, const fs::path& folder,
                                                  const FileStore& files) {
  TG_ASSIGN(const auto beside, IsAdapterFolder(folder, files));
  if (beside) {
    TG_ASSIGN(auto read, ReadAdapterConfig(folder / "adapter_config.json", files));
    return std::optional(std::move(read));
  }
  if (!config.is_object()) return std::optional<AdapterConfig>();
  for (const char* key : {"peft_config", "lora_config", "adapter_config"}) {
    const auto found = config.find(key);
    if (found == config.end() || !found->is_object() || !found->contains("lora_alpha")) continue;
    Json stated = *found;
    if (!stated.contains("peft_type")) stated["peft_type"] = "LORA";
    TG_ASSIGN(auto read, ParseAdapterConfig(stated.dump()));
    return std::optional(std::move(read));
  }
  return std::optional<AdapterConfig>();
}

Error NotMerged(const Sorted& sorted, const TensorInfo& first) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "the checkpoint holds a LoRA that is not merged, and does not state its scale",
          .file = first.file,
          .tensor = sorted.first_lora,
          .found = fmt::format("{} tensors of the LoRA beside those of the model",
                               sorted.adapter.size()),
          .expected = "r and lora_alpha of its training, in adapter_config.json beside the weights",
          .advice =
              "save the model after merge_and_unload(), or put the adapter_config.json of "
              "the training beside the weights"};
}

// Adapters that other programs than PEFT write name their halves so.
constexpr std::array<std::string_view, 10> kOtherEndings = {
    ".lora_down.weight", ".lora_up.weight", ".lora_mid.weight", ".alpha",     ".dora_scale",
    ".hada_w1_a",        ".hada_w1_b",      ".hada_w2_a",       ".hada_w2_b", ".lora.down.weight"};

Result<void> CheckNoKohya(const std::vector<TensorInfo>& tensors) {
  const auto is_of_adapter = [](const TensorInfo& tensor) {
    return std::ranges::any_of(
               kOtherEndings,
               [&](std::string_view ending) { return tensor.name.ends_with(ending); }) ||
           tensor.name.ends_with(".lora.up.weight") ||
           tensor.name.find(".lokr_w") != std::string::npos;
  };
  const auto first = std::ranges::find_if(
      tensors, [](const TensorInfo& tensor) { return tensor.shape.size() >= 2; });
  if (first == tensors.end() || !std::ranges::all_of(tensors, is_of_adapter)) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "the file holds an adapter in the form of kohya's scripts, and no model",
               .file = first->file,
               .tensor = first->name,
               .expected = "a model, or an adapter's folder in PEFT's form",
               .advice =
                   "load it into its base with the program that it is for, and save the "
                   "merged model; or save it in PEFT's form and name the base with --base"};
}

Error WithoutModel(const Sorted& sorted, const TensorInfo& first) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "the file holds a LoRA and no model",
          .file = first.file,
          .tensor = sorted.first_lora,
          .expected = "a model, or the adapter's folder with its adapter_config.json",
          .advice =
              "put the adapter's adapter_config.json beside it, name the file "
              "adapter_model.safetensors, and name the model that it belongs to with --base"};
}

}  // namespace

Result<WithoutInnerAdapter> MergeInnerAdapter(std::shared_ptr<const WeightSource> weights,
                                              const Json& config, const fs::path& folder,
                                              const FileStore& files) {
  TG_TRY(CheckNoKohya(weights->tensors()));
  Sorted sorted = Sort(weights->tensors());
  if (sorted.first_lora.empty()) return WithoutInnerAdapter{std::move(weights)};
  const TensorInfo& first = weights->tensors().front();
  if (!sorted.changes_base) return WithoutModel(sorted, first);
  if (sorted.adapters.size() > 1 || StatesOwnAdapters(config, sorted.adapters)) {
    return WithoutInnerAdapter{
        .weights = std::move(weights),
        .note = fmt::format("adapters ({}) lie beside the weights that they change and are not "
                            "merged: layers are those without them",
                            fmt::join(sorted.adapters, ", "))};
  }
  TG_ASSIGN(const auto stated, StatedConfig(config, folder, files));
  if (!stated) return NotMerged(sorted, first);
  const std::string file = first.file;
  TG_ASSIGN(auto base, SelectTensors(weights, std::move(sorted.base)));
  TG_ASSIGN(auto adapter, SelectTensors(weights, std::move(sorted.adapter)));
  auto merged = MergeAdapterTensors(std::move(base), std::move(adapter), *stated);
  if (!merged) return std::move(merged).error().InFile(file);
  return WithoutInnerAdapter{
      .weights = *std::move(merged),
      .note = "a LoRA that lies unmerged beside the weights was merged by its stated scale"};
}

}  // namespace tensorguard::internal
