#include "weights/adapters/kinds/trained_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/adapters/adapter_names.h"
#include "weights/adapters/adapter_options.h"
#include "weights/adapters/kinds/row_edit.h"
#include "weights/adapters/orientation.h"

namespace tensorguard::internal {
namespace {

// The rows of one module: a list is for every module, an object names them.
Result<std::vector<uint64_t>> RowsOf(const Json& options, const std::string& module) {
  for (const char* key : {"token_indices", "trainable_token_indices"}) {
    const Json* value = FindOption(options, key);
    if (value == nullptr) continue;
    if (!value->is_object()) return CountsOf(options, key);
    for (const auto& [name, rows] : value->items()) {
      if (module == name || module.ends_with("." + name)) return CountsOf(*value, name.c_str());
    }
  }
  return std::vector<uint64_t>();
}

Result<void> CheckNoneMissing(const AdapterConfig& config, bool none_there) {
  for (const char* key : {"token_indices", "trainable_token_indices"}) {
    const Json* value = FindOption(config.options, key);
    if (value == nullptr || value->empty() || !none_there) continue;
    return Error{.problem = fmt::format("the adapter lacks the rows that {} names", key),
                 .expected = "a tensor trainable_tokens_delta"};
  }
  return {};
}

}  // namespace

std::string ModuleOfTrainedRows(std::string_view name) {
  for (const std::string_view ending :
       {".token_adapter.trainable_tokens_delta", ".trainable_tokens_delta"}) {
    if (!name.ends_with(ending)) continue;
    name.remove_suffix(ending.size());
    return std::string(WithoutModelWrapper(name));
  }
  return {};
}

Result<void> PlanTrainedRows(const AdapterConfig& config,
                             const std::map<std::string, size_t>& modules, MergePlan& plan) {
  TG_TRY(CheckNoneMissing(config, modules.empty()));
  for (const auto& [module, tensor] : modules) {
    TG_ASSIGN(const auto rows, RowsOf(config.options, module));
    TG_ASSIGN(const auto target, plan.Target(module + ".weight"));
    const TensorInfo& table = plan.PlannedInfo(target);
    TG_TRY(CheckIsFloatMatrix(table));
    const TensorInfo& info = plan.AdapterInfo(tensor);
    const uint64_t columns = table.shape[1];
    if (info.shape != std::vector<uint64_t>{rows.size(), columns}) {
      return Error{.problem = "the adapter does not hold the rows that adapter_config.json names",
                   .tensor = info.name,
                   .found = fmt::format("[{}]", fmt::join(info.shape, ", ")),
                   .expected = fmt::format("[{}, {}]", rows.size(), columns)};
    }
    std::map<uint64_t, size_t> place;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] < table.shape[0] && place.emplace(rows[i], i).second) continue;
      return Error{.problem = "a trained row is named twice, or beyond the table",
                   .tensor = info.name,
                   .found = fmt::format("row {}", rows[i]),
                   .expected = fmt::format("different rows below {}", table.shape[0])};
    }
    TG_ASSIGN(auto numbers, plan.ReadAdapterTensor(tensor));
    TG_TRY(plan.Edit(
        target, EditRows(columns, [place = std::move(place), columns, numbers = std::move(numbers)](
                                      uint64_t row, std::span<float> values) {
          const auto found = place.find(row);
          if (found == place.end()) return;
          std::copy_n(&numbers[found->second * columns], columns, values.begin());
        })));
  }
  return {};
}

}  // namespace tensorguard::internal
