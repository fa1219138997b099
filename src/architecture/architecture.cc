#include "architecture/architecture.h"

#include <algorithm>

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
