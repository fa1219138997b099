#include "weights/adapters/ia3.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/try.h"
#include "weights/adapters/orientation.h"

namespace tensorguard::internal {
namespace {

struct Ia3Module {
  std::string name;
  size_t vector = 0;  // index among the adapter's tensors
  size_t target = 0;  // index among the base's tensors
  bool scales_inputs = false;
  Orientation orientation = Orientation::kSquare;
};

bool IsFeedforward(const Ia3Config& config, const std::string& module) {
  const auto matches = [&](const ModulePattern& pattern) { return pattern.Matches(module); };
  return std::any_of(config.feedforward_patterns.begin(), config.feedforward_patterns.end(),
                     matches) ||
         std::any_of(config.feedforward_suffixes.begin(), config.feedforward_suffixes.end(),
                     [&](const std::string& suffix) { return module.ends_with(suffix); });
}

Result<Ia3Module> CheckModule(const AdapterConfig& config, const std::string& name, size_t vector,
                              const MergePlan& plan) {
  Ia3Module module{
      .name = name, .vector = vector, .scales_inputs = IsFeedforward(config.ia3, name)};
  const TensorInfo& info = plan.AdapterInfo(vector);
  if (info.shape.size() != 2 || info.shape[module.scales_inputs ? 0 : 1] != 1) {
    return Error{.problem = "ia3_l has another shape than feedforward_modules says",
                 .tensor = info.name,
                 .found = fmt::format("[{}]", fmt::join(info.shape, ", ")),
                 .expected = module.scales_inputs ? "[1, inputs]" : "[outputs, 1]"};
  }
  TG_ASSIGN(auto target, plan.Target(name + ".weight"));
  module.target = target;
  const TensorInfo& matrix = plan.PlannedInfo(module.target);
  TG_TRY(CheckIsFloatMatrix(matrix));
  // The vector tells one dimension of the module; the other is whatever the base has beside it.
  const uint64_t length = info.element_count;
  const uint64_t other = matrix.shape[0] == length ? matrix.shape[1] : matrix.shape[0];
  TG_ASSIGN(auto orientation, module.scales_inputs ? OrientationOf(matrix, other, length)
                                                   : OrientationOf(matrix, length, other));
  module.orientation = orientation;
  return module;
}

Result<void> PlanModule(const Ia3Module& module, MergePlan& plan) {
  TG_ASSIGN(auto factors, plan.ReadAdapterTensor(module.vector));
  if (!module.scales_inputs) {
    TG_ASSIGN(auto bias, plan.TargetIfAny(module.name + ".bias"));
    if (bias) {
      const TensorInfo& info = plan.PlannedInfo(*bias);
      if (info.element_count != factors.size()) {
        return Error{.kind = ErrorKind::kMismatch,
                     .problem = "adapter was made for a base of another shape",
                     .tensor = info.name,
                     .found = fmt::format("[{}]", fmt::join(info.shape, ", ")),
                     .expected = fmt::format("[{}]", factors.size())};
      }
      auto planned = plan.Edit(*bias, ScaleAlong(MatrixAxis::kColumns, factors.size(), factors));
      if (!planned) return planned;
    }
  }
  const bool outputs_are_rows = module.orientation == Orientation::kOutputsByInputs;
  const MatrixAxis axis =
      outputs_are_rows == module.scales_inputs ? MatrixAxis::kColumns : MatrixAxis::kRows;
  const uint64_t columns = plan.PlannedInfo(module.target).shape[1];
  return plan.Edit(module.target, ScaleAlong(axis, columns, std::move(factors)));
}

}  // namespace

Result<void> PlanIa3(const AdapterConfig& config, const std::map<std::string, size_t>& modules,
                     MergePlan& plan) {
  std::vector<Ia3Module> checked_modules;
  OrientationEvidence evidence(config.fan_in_fan_out);
  for (const auto& [name, vector] : modules) {
    TG_ASSIGN(auto module, CheckModule(config, name, vector, plan));
    evidence.See(module.orientation);
    checked_modules.push_back(std::move(module));
  }
  for (Ia3Module& module : checked_modules) {
    module.orientation = evidence.Resolve(module.orientation);
    if (auto planned = PlanModule(module, plan); !planned) return planned;
  }
  return {};
}

}  // namespace tensorguard::internal
