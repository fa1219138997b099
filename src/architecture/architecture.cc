#include "architecture/architecture.h"

#include <algorithm>
#include <map>
#include <utility>

#include "architecture/config_view.h"
#include "architecture/name_reading.h"
#include "architecture/shape_reading.h"
#include "architecture/stacks.h"
#include "architecture/table/architecture_table.h"
#include "architecture/tensor_path.h"

namespace tensorguard::internal {
namespace {

bool HoldsMatrix(std::span<const TensorRole> roles, Role wanted) {
  return std::any_of(roles.begin(), roles.end(), [wanted](const TensorRole& role) {
    return role.role == wanted && !role.is_bias;
  });
}

// What config.json says, else what the architecture's library assumes, else whether a head is
// stored. Without an embedding there is nothing to be tied to.
bool IsHeadTied(const ConfigView& config, const KnownArchitecture& known,
                std::span<const TensorRole> roles) {
  if (!HoldsMatrix(roles, Role::kEmbedding)) return false;
  const bool stored = HoldsMatrix(roles, Role::kOutputHead);
  // Where a wrapper and its text model disagree and no head is stored, the one that ties is right.
  if (!stored && config.FlagOfWhole("tie_word_embeddings").value_or(false)) return true;
  if (const auto stated = config.Flag("tie_word_embeddings")) return *stated;
  if (known.row.tied && known.known_by == "config") return *known.row.tied;
  return !stored;
}

std::vector<size_t> FindUnassigned(std::span<const TensorInfo> tensors, const ModelPaths& model,
                                   std::span<const TensorRole> roles) {
  const bool names_only = std::all_of(tensors.begin(), tensors.end(),
                                      [](const TensorInfo& info) { return info.shape.empty(); });
  std::vector<size_t> unassigned;
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].role != Role::kOther) continue;
    const bool weight = names_only && model[i].parameter == Parameter::kWeight;
    if (weight || tensors[i].shape.size() >= 2) unassigned.push_back(i);
  }
  return unassigned;
}

bool IsLayerOf(const TensorRole& role, const ModelPaths& model, size_t tensor) {
  return role.layer && BlockOfTensor(model, model[tensor]) != Block::kOutside;
}

// The tower with most numbers in layers, where a model has no token embedding and no layers but in
// towers; empty otherwise.
std::string OnlyTower(std::span<const TensorInfo> tensors, const ModelPaths& model,
                      std::span<const TensorRole> roles) {
  std::map<std::string, uint64_t> in_layers;
  for (size_t i = 0; i < roles.size(); ++i) {
    const TensorRole& role = roles[i];
    if (role.stack.empty() && (role.layer || role.role == Role::kEmbedding)) return {};
    if (IsLayerOf(role, model, i)) in_layers[role.stack] += tensors[i].element_count;
  }
  const auto most = std::ranges::max_element(
      in_layers, {},
      [](const std::pair<const std::string, uint64_t>& tower) { return tower.second; });
  return most == in_layers.end() ? std::string() : most->first;
}

}  // namespace

Architecture Understand(const Json& config, std::span<const TensorInfo> tensors) {
  const ConfigView view(config);
  const ModelPaths model(tensors);
  const KnownArchitecture known = FindArchitecture(view, model);

  Architecture architecture;
  architecture.name = known.name;
  architecture.known_by = known.known_by;
  architecture.roles.reserve(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    architecture.roles.push_back(ReadName(model, model[i], tensors[i].shape));
  }
  if (const std::string tower = OnlyTower(tensors, model, architecture.roles); !tower.empty()) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      TensorRole& role = architecture.roles[i];
      if (role.stack == tower) role = ReadNameInTower(model, model[i], tensors[i].shape);
    }
  }
  const MainStack main = AssignStacks(model, architecture.roles);
  architecture.main_stack = main.name;
  architecture.layers = main.layers;

  const ShapeContext context{model, tensors, view, known};
  ReadUnnamed(context, architecture.roles);
  ReadHeads(context, architecture.roles);
  ReadFused(context, architecture.roles);
  ReadOrientation(context, architecture.roles);

  architecture.tied_head = IsHeadTied(view, known, architecture.roles);
  architecture.unassigned = FindUnassigned(tensors, model, architecture.roles);
  return architecture;
}

}  // namespace tensorguard::internal
