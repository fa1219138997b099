#include "weights/adapters/adapter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/try.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/adapter_names.h"
#include "weights/adapters/ia3.h"
#include "weights/adapters/kinds/adapter_kinds.h"
#include "weights/adapters/kinds/expert_lora.h"
#include "weights/adapters/kinds/trained_rows.h"
#include "weights/adapters/lora.h"
#include "weights/adapters/merge_plan.h"
#include "weights/files/stored_weights.h"
#include "weights/placeholders.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigName = "adapter_config.json";

// The tensors of an adapter by what they are.
struct AdapterTensors {
  std::map<std::string, ModuleParts> lora;
  std::map<std::string, size_t> ia3;
  std::map<std::string, size_t> replacements;
  std::map<std::string, size_t> trained_rows;
  KindTensors of_kind;

  bool empty() const {
    return lora.empty() && ia3.empty() && replacements.empty() && trained_rows.empty() &&
           of_kind.modules.empty();
  }
};

// MLX writes adapters.safetensors and, while it trains, 0000100_adapters.safetensors and so on.
Result<fs::path> FindMlxFile(const fs::path& folder, const FileStore& files) {
  const std::string final_name = "adapters.safetensors";
  const auto names = files.FilesIn(folder, {{final_name}});
  if (!names) return names.error();
  std::vector<fs::path> checkpoints;
  for (const std::string& name : *names) {
    if (name == final_name) return folder / name;
    if (name.ends_with("_adapters.safetensors")) checkpoints.push_back(folder / name);
  }
  if (checkpoints.size() == 1) return checkpoints.front();
  if (checkpoints.empty()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "adapter has no weight file",
                 .file = folder.string(),
                 .expected = "adapters.safetensors"};
  }
  return Error{.kind = ErrorKind::kUsage,
               .problem = "folder holds several checkpoints of an adapter",
               .file = folder.string(),
               .found = fmt::format("{} files *_adapters.safetensors", checkpoints.size()),
               .expected = "adapters.safetensors, or one checkpoint"};
}

Result<fs::path> FindWeightFile(const fs::path& folder, AdapterType type, const FileStore& files) {
  if (type == AdapterType::kMlxLora) return FindMlxFile(folder, files);
  for (const char* name : {"adapter_model.safetensors", "adapter_model.bin"}) {
    TG_ASSIGN(const auto exists, files.Exists(folder / name));
    if (exists) return folder / name;
  }
  return Error{.kind = ErrorKind::kNotFound,
               .problem = "adapter has no weight file",
               .file = folder.string(),
               .expected = "adapter_model.safetensors or adapter_model.bin"};
}

bool BelongsTo(AdapterPart part, AdapterType type) {
  switch (part) {
    case AdapterPart::kIa3:
      return type == AdapterType::kIa3;
    case AdapterPart::kMlxA:
    case AdapterPart::kMlxB:
      return type == AdapterType::kMlxLora;
    case AdapterPart::kReplacement:
      return type != AdapterType::kMlxLora;
    default:
      return type == AdapterType::kLora;
  }
}

Result<AdapterTensors> SortTensors(const std::vector<TensorInfo>& tensors,
                                   const AdapterConfig& config) {
  AdapterTensors sorted;
  const AdapterKind* kind = FindAdapterKind(config.kind);
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (kind != nullptr && AddKindTensor(*kind, tensors[i].name, i, sorted.of_kind)) continue;
    if (std::string rows = ModuleOfTrainedRows(tensors[i].name); !rows.empty()) {
      sorted.trained_rows.emplace(std::move(rows), i);
      continue;
    }
    TG_ASSIGN(auto name, ParseAdapterName(tensors[i].name));
    if (!BelongsTo(name.part, config.type)) {
      return Error{.problem = "tensor is of another kind of adapter than adapter_config.json says",
                   .tensor = tensors[i].name};
    }
    bool inserted = false;
    if (name.part == AdapterPart::kReplacement) {
      inserted = sorted.replacements.emplace(name.target, i).second;
    } else if (name.part == AdapterPart::kIa3) {
      inserted = sorted.ia3.emplace(name.target, i).second;
    } else {
      inserted = sorted.lora[name.target].emplace(name.part, i).second;
    }
    if (!inserted) {
      return Error{.problem = "two tensors of the adapter have the same meaning",
                   .tensor = tensors[i].name};
    }
  }
  return sorted;
}

bool HasModule(const std::string& name, std::string_view module) {
  return fmt::format(".{}", name).find(fmt::format(".{}.", module)) != std::string::npos;
}

// Whether the base may lack the tensor: a head that PEFT stores whole, because the task's class or
// the untied class adds it to the model.
bool MayBeNew(const AdapterConfig& config, const std::string& name) {
  if (HasModule(name, "embed_tokens")) return false;
  return HasModule(name, "lm_head") ||
         std::any_of(config.saved_modules.begin(), config.saved_modules.end(),
                     [&](const std::string& module) { return HasModule(name, module); });
}

// Whether the base's tensor may have other rows: a head for other labels, a resized vocabulary.
bool MayBeResized(const AdapterConfig& config, const std::string& name) {
  return MayBeNew(config, name) || HasModule(name, "embed_tokens");
}

// Same shape, or the same but for the number of rows.
bool CanReplace(const TensorInfo& replaced, const TensorInfo& replacement, bool rows_may_differ) {
  if (replaced.shape == replacement.shape) return true;
  if (!rows_may_differ || replaced.shape.size() != replacement.shape.size()) return false;
  if (replaced.shape.size() == 1) return replaced.name.ends_with(".bias");
  return !replaced.shape.empty() && std::equal(replaced.shape.begin() + 1, replaced.shape.end(),
                                               replacement.shape.begin() + 1);
}

Result<void> PlanReplacement(const AdapterConfig& config, const std::string& name,
                             size_t adapter_tensor, MergePlan& plan) {
  TG_ASSIGN(auto target, plan.TargetIfAny(name));
  if (!target && MayBeNew(config, name)) return plan.Add(name, adapter_tensor);
  if (!target) return std::move(plan.Target(name)).error();
  const TensorInfo& replaced = plan.PlannedInfo(*target);
  const TensorInfo& replacement = plan.AdapterInfo(adapter_tensor);
  if (!CanReplace(replaced, replacement, MayBeResized(config, name))) {
    return Error{
        .kind = ErrorKind::kMismatch,
        .problem = "adapter was made for a base of another shape",
        .tensor = replaced.name,
        .found = fmt::format("base tensor of shape [{}]", fmt::join(replaced.shape, ", ")),
        .expected = fmt::format("[{}], the adapter's", fmt::join(replacement.shape, ", "))};
  }
  return plan.Replace(*target, adapter_tensor);
}

Result<void> PlanAll(const AdapterConfig& config, AdapterTensors tensors, MergePlan& plan) {
  for (const auto& [name, adapter_tensor] : tensors.replacements) {
    auto planned = PlanReplacement(config, name, adapter_tensor, plan);
    if (!planned) return planned;
  }
  TG_TRY(PlanTrainedRows(config, tensors.trained_rows, plan));
  if (config.type == AdapterType::kOfKind) {
    return PlanKind(*FindAdapterKind(config.kind), config, tensors.of_kind, plan);
  }
  TG_TRY(PlanExpertLora(config, tensors.lora, plan));
  TG_TRY(PlanLora(config, tensors.lora, plan));
  return PlanIa3(config, tensors.ia3, plan);
}

}  // namespace

Result<bool> IsAdapterFolder(const fs::path& folder, const FileStore& files) {
  return files.Exists(folder / kConfigName);
}

Result<std::shared_ptr<const WeightSource>> MergeAdapter(std::shared_ptr<const WeightSource> base,
                                                         const fs::path& folder,
                                                         const FileStorePtr& files) {
  TG_ASSIGN(const auto config, ReadAdapterConfig(folder / kConfigName, *files));
  TG_ASSIGN(const auto weight_file, FindWeightFile(folder, config.type, *files));
  TG_ASSIGN(auto adapter, OpenStoredWeights(weight_file, files));
  auto merged = MergeAdapterTensors(std::move(base), std::move(adapter), config);
  if (!merged) return std::move(merged).error().InFile(weight_file.string());
  return merged;
}

Result<std::shared_ptr<const WeightSource>> MergeAdapterTensors(
    std::shared_ptr<const WeightSource> base, std::shared_ptr<const WeightSource> adapter,
    const AdapterConfig& config) {
  TG_TRY(CheckNoPlaceholder(adapter->tensors()));
  TG_ASSIGN(auto tensors, SortTensors(adapter->tensors(), config));
  if (tensors.empty()) return Error{.problem = "adapter holds no tensors"};
  MergePlan plan(std::move(base), std::move(adapter));
  TG_TRY(PlanAll(config, std::move(tensors), plan));
  return std::move(plan).Merge();
}

}  // namespace tensorguard::internal
