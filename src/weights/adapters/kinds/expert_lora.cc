#include "weights/adapters/kinds/expert_lora.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/adapters/kinds/row_edit.h"
#include "weights/adapters/orientation.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kInner = ".base_layer";

// What the files call the matrices of an expert.
struct ExpertNames {
  std::string_view gate;
  std::string_view up;
  std::string_view down;
};
constexpr std::array kExpertNames = {ExpertNames{"gate_proj", "up_proj", "down_proj"},
                                     ExpertNames{"w1", "w3", "w2"}};

// The pair of one parameter: A [experts x rank, inputs], B [outputs, rank x experts].
struct Pair {
  size_t a = 0;
  size_t b = 0;
  uint64_t all_ranks = 0;
  uint64_t inputs = 0;
  uint64_t outputs = 0;
};

// A part of one parameter in the base: one tensor, and which experts and outputs it holds.
struct Place {
  size_t target = 0;
  uint64_t first_expert = 0;
  uint64_t experts = 1;
  uint64_t first_output = 0;
  uint64_t outputs = 0;
  bool transposed = false;  // [inputs, outputs]
};

struct Parameter {
  std::vector<Place> places = {};
  uint64_t experts = 0;
  uint64_t inputs = 0;
  uint64_t outputs = 0;
};

std::string_view WithoutInner(std::string_view name, size_t* depth) {
  while (name.ends_with(kInner)) {
    name.remove_suffix(kInner.size());
    ++*depth;
  }
  return name;
}

Result<Pair> PairOf(const MergePlan& plan, const std::string& module, const ModuleParts& parts) {
  const auto a = parts.find(AdapterPart::kLoraA);
  const auto b = parts.find(AdapterPart::kLoraB);
  if (a == parts.end() || b == parts.end()) {
    return Error{.problem = "one of the two low-rank matrices is missing",
                 .tensor = module,
                 .expected = "lora_A and lora_B"};
  }
  if (parts.size() > 2) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "LoRA of experts is merged without DoRA and biases only",
                 .tensor = module};
  }
  const TensorInfo& of_a = plan.AdapterInfo(a->second);
  const TensorInfo& of_b = plan.AdapterInfo(b->second);
  if (of_a.shape.size() != 2 || of_b.shape.size() != 2 || of_a.shape[0] != of_b.shape[1]) {
    return Error{.problem = "the two low-rank matrices do not fit each other",
                 .tensor = of_b.name,
                 .found = fmt::format("[{}]", fmt::join(of_b.shape, ", ")),
                 .expected = fmt::format("the other's shape is [{}]", fmt::join(of_a.shape, ", "))};
  }
  return Pair{.a = a->second,
              .b = b->second,
              .all_ranks = of_a.shape[0],
              .inputs = of_a.shape[1],
              .outputs = of_b.shape[0]};
}

// A matrix of each expert; empty where the base has none of that name.
Result<Parameter> FindByExpert(const MergePlan& plan, const std::string& module,
                               std::span<const std::string_view> stacked) {
  Parameter parameter;
  for (;; ++parameter.experts) {
    uint64_t first_output = 0;
    for (const std::string_view matrix : stacked) {
      TG_ASSIGN(const auto target, plan.TargetIfAny(fmt::format("{}.{}.{}.weight", module,
                                                                parameter.experts, matrix)));
      if (!target) return parameter;
      const TensorInfo& info = plan.PlannedInfo(*target);
      TG_TRY(CheckIsFloatMatrix(info));
      parameter.places.push_back({.target = *target,
                                  .first_expert = parameter.experts,
                                  .first_output = first_output,
                                  .outputs = info.shape[0]});
      first_output += info.shape[0];
      parameter.inputs = info.shape[1];
    }
    parameter.outputs = first_output;
  }
}

// One tensor [experts, outputs, inputs] or, with the last two exchanged, as `pair` says.
Result<Parameter> FindStacked(const MergePlan& plan, const std::string& name, const Pair& pair) {
  TG_ASSIGN(const auto target, plan.TargetIfAny(name));
  if (!target) return Parameter();
  const TensorInfo& info = plan.PlannedInfo(*target);
  TG_TRY(CheckIsFloat(info));
  if (info.shape.size() != 3) return Parameter();
  const bool plain = info.shape[1] == pair.outputs && info.shape[2] == pair.inputs;
  Parameter parameter{.experts = info.shape[0],
                      .inputs = plain ? info.shape[2] : info.shape[1],
                      .outputs = plain ? info.shape[1] : info.shape[2]};
  parameter.places.push_back({.target = *target,
                              .experts = info.shape[0],
                              .outputs = parameter.outputs,
                              .transposed = !plain});
  return parameter;
}

// Empty where the base has neither.
Result<Parameter> FindParameter(const MergePlan& plan, const std::string& module,
                                std::string_view leaf, const Pair& pair) {
  TG_ASSIGN(auto stacked, FindStacked(plan, fmt::format("{}.{}", module, leaf), pair));
  if (stacked.experts > 0) return stacked;
  for (const ExpertNames& names : kExpertNames) {
    const std::vector<std::string_view> matrices =
        leaf == "down_proj" ? std::vector{names.down} : std::vector{names.gate, names.up};
    TG_ASSIGN(auto parameter, FindByExpert(plan, module, matrices));
    if (parameter.experts > 0) return parameter;
  }
  return Parameter();
}

Result<void> PlanParameter(const AdapterConfig& config, const std::string& module, const Pair& pair,
                           const Parameter& parameter, MergePlan& plan) {
  const uint64_t experts = parameter.experts;
  if (pair.all_ranks % experts != 0) {
    return Error{.problem = "the rank of the low-rank matrices does not divide among the experts",
                 .tensor = module,
                 .found = fmt::format("{} ranks", pair.all_ranks),
                 .expected = fmt::format("a multiple of {} experts", experts)};
  }
  const uint64_t rank = pair.all_ranks / experts;
  TG_ASSIGN(const auto scaling, ScalingOf(config.lora, module));
  TG_ASSIGN(auto read_a, plan.ReadAdapterTensor(pair.a));
  TG_ASSIGN(auto read_b, plan.ReadAdapterTensor(pair.b));
  const auto a = std::make_shared<const std::vector<float>>(std::move(read_a));
  const auto b = std::make_shared<const std::vector<float>>(std::move(read_b));
  const uint64_t inputs = pair.inputs;
  const auto number = [=](uint64_t expert, uint64_t output, uint64_t input) {
    float sum = 0;
    for (uint64_t k = 0; k < rank; ++k) {
      sum +=
          (*b)[(output * rank + k) * experts + expert] * (*a)[(expert * rank + k) * inputs + input];
    }
    return scaling * sum;
  };
  for (const Place& place : parameter.places) {
    const uint64_t columns = place.transposed ? place.outputs : inputs;
    const uint64_t rows = place.transposed ? inputs : place.outputs;
    TG_TRY(plan.Edit(place.target, EditRows(columns, [=](uint64_t row, std::span<float> values) {
                       const uint64_t expert = place.first_expert + row / rows;
                       const uint64_t within = row % rows;
                       for (uint64_t i = 0; i < columns; ++i) {
                         values[i] += place.transposed
                                          ? number(expert, i, within)
                                          : number(expert, place.first_output + within, i);
                       }
                     })));
  }
  return {};
}

bool Fits(const Parameter& parameter, const Pair& pair) {
  return parameter.experts > 0 && parameter.inputs == pair.inputs &&
         parameter.outputs == pair.outputs && pair.all_ranks % parameter.experts == 0;
}

// `pairs`: from the innermost on, which wraps the parameter that the class names first.
Result<void> PlanModule(const AdapterConfig& config, const std::string& module,
                        const std::vector<Pair>& pairs, MergePlan& plan) {
  std::vector<std::string_view> leaves = {"gate_up_proj", "down_proj"};
  std::erase_if(leaves, [&](std::string_view leaf) {
    return std::ranges::none_of(config.lora.target_parameters, [&](const std::string& parameter) {
      const std::string ending = fmt::format(".{}", leaf);
      return parameter == leaf || parameter.ends_with(ending);
    });
  });
  for (const Pair& pair : pairs) {
    bool planned = false;
    for (auto leaf = leaves.begin(); leaf != leaves.end() && !planned; ++leaf) {
      TG_ASSIGN(const auto parameter, FindParameter(plan, module, *leaf, pair));
      if (!Fits(parameter, pair)) continue;
      TG_TRY(PlanParameter(config, module, pair, parameter, plan));
      leaves.erase(leaf);
      planned = true;
      break;
    }
    if (planned) continue;
    return Error{
        .kind = ErrorKind::kMismatch,
        .problem = "adapter touches experts that the base does not have in this shape",
        .tensor = module,
        .found =
            fmt::format("low-rank matrices of {} inputs and {} outputs", pair.inputs, pair.outputs),
        .expected = fmt::format("one of {}", fmt::join(config.lora.target_parameters, ", ")),
        .advice = "give the base that adapter_config.json names as base_model_name_or_path"};
  }
  return {};
}

}  // namespace

Result<void> PlanExpertLora(const AdapterConfig& config,
                            std::map<std::string, ModuleParts>& modules, MergePlan& plan) {
  if (config.lora.target_parameters.empty()) return {};
  std::map<std::string, std::map<size_t, Pair, std::greater<>>> by_module;
  for (auto each = modules.begin(); each != modules.end();) {
    size_t depth = 0;
    const std::string module(WithoutInner(each->first, &depth));
    TG_ASSIGN(const auto matrix, plan.TargetIfAny(module + ".weight"));
    if (matrix) {
      ++each;
      continue;
    }
    TG_ASSIGN(const auto pair, PairOf(plan, each->first, each->second));
    by_module[module].emplace(depth, pair);
    each = modules.erase(each);
  }
  for (const auto& [module, by_depth] : by_module) {
    std::vector<Pair> pairs;
    for (const auto& [depth, pair] : by_depth) pairs.push_back(pair);
    TG_TRY(PlanModule(config, module, pairs, plan));
  }
  return {};
}

}  // namespace tensorguard::internal
