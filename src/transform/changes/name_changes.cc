// The same tensors under names of one's own.
#include "transform/change.h"

namespace tensorguard::internal {
namespace {

Result<void> RenameTensors(const ChangeInput& input) {
  input.model.name_scheme = input.strength >= 2 ? NameScheme::kNumbers : NameScheme::kOwnWords;
  return {};
}

}  // namespace

std::vector<Change> NameChanges() {
  return {{.name = "rename-tensors",
           .text = "tensors under names of one's own; fused ones stay fused",
           .strength = "1: own words; 2: numbers alone",
           .strengths = {1, 2},
           .least = 1,
           .most = 2,
           .source = "own: against roles read from names",
           .apply = RenameTensors}};
}

}  // namespace tensorguard::internal
