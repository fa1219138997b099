#include "weights/adapters/lora.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/try.h"
#include "weights/adapters/kinds/base_start.h"
#include "weights/adapters/orientation.h"

namespace tensorguard::internal {
namespace {

// Keeps hostile patterns below a minute: steps per byte of a module's name, over all modules. A
// thousand modules with a pattern each, plain names all, cost a million.
constexpr size_t kHighestPatternCost = 10'000'000;

// One module's pair of matrices, checked against the config and the base.
struct LowRankModule {
  std::string name;
  size_t a = 0;  // index among the adapter's tensors
  size_t b = 0;
  bool rank_first = true;  // A is [rank, inputs] and B [outputs, rank]; MLX stores the transposes
  bool is_embedding = false;
  std::optional<size_t> bias;
  std::optional<size_t> magnitude;
  uint64_t rank = 0;
  uint64_t inputs = 0;
  uint64_t outputs = 0;
  size_t target = 0;  // index among the base's tensors
  Orientation orientation = Orientation::kSquare;
};

std::string ShapeText(const TensorInfo& info) {
  return fmt::format("[{}]", fmt::join(info.shape, ", "));
}

std::optional<size_t> PartOf(const ModuleParts& parts, AdapterPart part) {
  const auto found = parts.find(part);
  return found == parts.end() ? std::nullopt : std::optional(found->second);
}

Error Incomplete(const std::string& module, std::string problem, std::string expected) {
  return {.problem = std::move(problem), .tensor = module, .expected = std::move(expected)};
}

// Which of the three kinds of pair a module has, and that it has all of it.
Result<LowRankModule> PairOf(const std::string& name, const ModuleParts& parts) {
  struct Kind {
    AdapterPart a;
    AdapterPart b;
    std::string_view names;
    bool rank_first;
    bool is_embedding;
  };
  static constexpr Kind kKinds[] = {
      {AdapterPart::kLoraA, AdapterPart::kLoraB, "lora_A and lora_B", true, false},
      {AdapterPart::kLoraEmbeddingA, AdapterPart::kLoraEmbeddingB,
       "lora_embedding_A and lora_embedding_B", true, true},
      {AdapterPart::kMlxA, AdapterPart::kMlxB, "lora_a and lora_b", false, false},
  };
  LowRankModule module;
  module.name = name;
  module.bias = PartOf(parts, AdapterPart::kLoraBBias);
  module.magnitude = PartOf(parts, AdapterPart::kLoraMagnitude);
  int pairs = 0;
  for (const Kind& kind : kKinds) {
    const auto a = PartOf(parts, kind.a);
    const auto b = PartOf(parts, kind.b);
    if (!a && !b) continue;
    if (!a || !b) {
      return Incomplete(name, "one of the two low-rank matrices is missing",
                        std::string(kind.names));
    }
    module.a = *a;
    module.b = *b;
    module.rank_first = kind.rank_first;
    module.is_embedding = kind.is_embedding;
    ++pairs;
  }
  if (pairs == 1) return module;
  return Incomplete(name, pairs == 0 ? "low-rank matrices are missing" : "too many matrices",
                    "one pair of low-rank matrices for the module");
}

Result<void> CheckRank(const MergePlan& plan, uint64_t configured_rank, LowRankModule& module) {
  const TensorInfo& a = plan.AdapterInfo(module.a);
  const TensorInfo& b = plan.AdapterInfo(module.b);
  if (a.shape.size() != 2 || b.shape.size() != 2) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "low-rank tensors of a convolution are not supported",
                 .tensor = a.shape.size() != 2 ? a.name : b.name,
                 .found = "shape " + ShapeText(a.shape.size() != 2 ? a : b),
                 .expected = "two dimensions"};
  }
  const size_t rank_of_a = module.rank_first ? 0 : 1;
  module.rank = a.shape[rank_of_a];
  module.inputs = a.shape[1 - rank_of_a];
  module.outputs = b.shape[rank_of_a];
  if (b.shape[1 - rank_of_a] != module.rank) {
    return Error{.problem = "the two low-rank matrices are of different rank",
                 .tensor = b.name,
                 .found = ShapeText(b),
                 .expected = fmt::format("rank {}, as {}", module.rank, ShapeText(a))};
  }
  if (module.rank != configured_rank) {
    return Error{.problem = "low-rank matrix has another rank than adapter_config.json says",
                 .tensor = a.name,
                 .found = fmt::format("rank {}, shape {}", module.rank, ShapeText(a)),
                 .expected = fmt::format("rank {}", configured_rank)};
  }
  return {};
}

Result<void> FindInBase(const MergePlan& plan, LowRankModule& module) {
  TG_ASSIGN(auto target, plan.Target(module.name + ".weight"));
  module.target = target;
  const TensorInfo& matrix = plan.PlannedInfo(module.target);
  if (auto checked = CheckIsFloatMatrix(matrix); !checked) return checked;
  TG_ASSIGN(auto orientation, OrientationOf(matrix, module.outputs, module.inputs));
  module.orientation = orientation;
  if (!module.is_embedding) return {};
  // An embedding's table is [inputs, outputs]; the other way would be another model's.
  if (module.orientation == Orientation::kOutputsByInputs) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "adapter was made for a base of another shape",
                 .tensor = matrix.name,
                 .found = fmt::format("base tensor of shape {}", ShapeText(matrix)),
                 .expected = fmt::format("[{}, {}]", module.inputs, module.outputs)};
  }
  module.orientation = Orientation::kInputsByOutputs;
  return {};
}

Result<void> CheckOutputVector(const MergePlan& plan, size_t vector, uint64_t outputs) {
  const TensorInfo& info = plan.AdapterInfo(vector);
  if (info.shape == std::vector{outputs}) return {};
  return Error{.problem = "vector does not fit the module's low-rank matrices",
               .tensor = info.name,
               .found = ShapeText(info),
               .expected = fmt::format("[{}]", outputs)};
}

Result<void> CheckVectors(const MergePlan& plan, bool use_dora, const LowRankModule& module) {
  if (use_dora != module.magnitude.has_value()) {
    return Incomplete(module.name,
                      use_dora ? "lora_magnitude_vector is missing"
                               : "lora_magnitude_vector without use_dora in adapter_config.json",
                      use_dora ? "a vector for each module, as use_dora says" : "");
  }
  for (const auto& vector : {module.bias, module.magnitude}) {
    if (!vector) continue;
    if (auto checked = CheckOutputVector(plan, *vector, module.outputs); !checked) return checked;
  }
  return {};
}

Result<LowRankModule> CheckModule(const AdapterConfig& config, const std::string& name,
                                  const ModuleParts& parts, const MergePlan& plan) {
  auto module = PairOf(name, parts);
  if (!module) return module;
  const uint64_t rank = RankOf(config.lora, name);
  TG_TRY(CheckRank(plan, rank, *module));
  TG_TRY(FindInBase(plan, *module));
  TG_TRY(CheckVectors(plan, config.lora.use_dora, *module));
  return module;
}

std::vector<float> Transposed(const std::vector<float>& matrix, uint64_t rows, uint64_t columns) {
  std::vector<float> transposed(matrix.size());
  for (uint64_t row = 0; row < rows; ++row) {
    for (uint64_t column = 0; column < columns; ++column) {
      transposed[column * rows + row] = matrix[row * columns + column];
    }
  }
  return transposed;
}

// scaling * B A, or its transpose where the base lies the other way.
Result<LowRankMatrix> DeltaOf(const MergePlan& plan, const LowRankModule& module, float scaling) {
  TG_ASSIGN(auto a, plan.ReadAdapterTensor(module.a));
  TG_ASSIGN(auto b, plan.ReadAdapterTensor(module.b));
  const uint64_t rank = module.rank;
  const bool rank_first = module.rank_first;
  const auto [outputs, inputs] = std::pair(module.outputs, module.inputs);
  LowRankMatrix delta;
  delta.rank = rank;
  delta.scaling = scaling;
  if (module.orientation == Orientation::kOutputsByInputs) {
    delta.rows = outputs;
    delta.columns = inputs;
    delta.left = rank_first ? std::move(b) : Transposed(b, rank, outputs);
    delta.right = rank_first ? std::move(a) : Transposed(a, inputs, rank);
  } else {
    delta.rows = inputs;
    delta.columns = outputs;
    delta.left = rank_first ? Transposed(a, rank, inputs) : std::move(a);
    delta.right = rank_first ? Transposed(b, outputs, rank) : std::move(b);
  }
  return delta;
}

Result<float> ModuleScaling(const AdapterConfig& config, const std::string& module) {
  if (config.type == AdapterType::kMlxLora) return static_cast<float>(config.mlx_scale);
  auto scaling = ScalingOf(config.lora, module);
  if (!scaling) return std::move(scaling).error().InFile(config.file);
  return scaling;
}

Result<void> PlanBias(const LowRankModule& module, float scaling, MergePlan& plan) {
  TG_ASSIGN(auto target, plan.Target(module.name + ".bias"));
  if (auto checked = CheckOutputVector(plan, *module.bias, plan.PlannedInfo(target).element_count);
      !checked) {
    Error error = std::move(checked).error();
    error.kind = ErrorKind::kMismatch;
    return error;
  }
  TG_ASSIGN(auto addends, plan.ReadAdapterTensor(*module.bias));
  for (float& addend : addends) addend *= scaling;
  return plan.Edit(target, AddElements(std::move(addends)));
}

Result<void> PlanWithStart(const AdapterConfig& config, const LowRankModule& module,
                           LowRankMatrix delta, MergePlan& plan) {
  const bool plain = module.orientation == Orientation::kOutputsByInputs;
  if (plain && !module.magnitude && delta.rank <= std::min(delta.rows, delta.columns)) {
    return plan.Edit(module.target, AddAndTakeStart(std::move(delta), config.lora.start));
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "an adapter that began as a part of its base cannot be merged here",
               .file = config.file,
               .tensor = module.name,
               .found = "init_lora_weights olora or pissa",
               .expected = "a matrix [outputs, inputs] without DoRA, larger than the rank",
               .advice = "merge the adapter with the library that made it"};
}

Result<void> PlanModule(const AdapterConfig& config, const LowRankModule& module, MergePlan& plan) {
  TG_ASSIGN(auto scaling, ModuleScaling(config, module.name));
  if (module.bias) {
    if (auto planned = PlanBias(module, scaling, plan); !planned) return planned;
  }
  TG_ASSIGN(auto delta, DeltaOf(plan, module, scaling));
  if (config.lora.start != LoraStart::kBeside)
    return PlanWithStart(config, module, std::move(delta), plan);
  if (!module.magnitude) return plan.Edit(module.target, AddLowRank(std::move(delta)));
  TG_ASSIGN(auto magnitudes, plan.ReadAdapterTensor(*module.magnitude));
  const MatrixAxis outputs = module.orientation == Orientation::kOutputsByInputs
                                 ? MatrixAxis::kRows
                                 : MatrixAxis::kColumns;
  return plan.Edit(module.target,
                   AddLowRankAndRescale(std::move(delta), outputs, std::move(magnitudes)));
}

Result<void> CheckPatternCost(const AdapterConfig& config, size_t modules) {
  size_t cost = 0;
  for (const auto* patterns : {&config.lora.rank_pattern, &config.lora.alpha_pattern}) {
    for (const PatternValue& entry : *patterns) cost += entry.pattern.cost();
  }
  if (cost * modules <= kHighestPatternCost) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "rank_pattern and alpha_pattern are too complex",
               .file = config.file,
               .found = fmt::format("{} steps for each of {} modules", cost, modules),
               .expected = fmt::format("at most {} steps in all", kHighestPatternCost)};
}

}  // namespace

Result<void> PlanLora(const AdapterConfig& config,
                      const std::map<std::string, ModuleParts>& modules, MergePlan& plan) {
  if (auto checked = CheckPatternCost(config, modules.size()); !checked) return checked;
  std::vector<LowRankModule> checked_modules;
  OrientationEvidence evidence(config.fan_in_fan_out);
  for (const auto& [name, parts] : modules) {
    TG_ASSIGN(auto module, CheckModule(config, name, parts, plan));
    // MLX has no layer that stores [inputs, outputs] but the embedding.
    const bool is_evidence = !module.is_embedding && config.type == AdapterType::kLora;
    if (is_evidence) evidence.See(module.orientation);
    checked_modules.push_back(std::move(module));
  }
  for (LowRankModule& module : checked_modules) {
    module.orientation = evidence.Resolve(module.orientation);
    if (auto planned = PlanModule(config, module, plan); !planned) return planned;
  }
  return {};
}

}  // namespace tensorguard::internal
