#include "network/placeholder_parts.h"

#include <fmt/format.h>

#include <string>

namespace tensorguard::internal {

std::vector<MissingPart> FindPlaceholders(const Model& model) {
  const auto& tensors = model.weights->tensors();
  size_t count = 0;
  std::string first;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Role role = model.architecture.roles[i].role;
    if (tensors[i].element_count > 0 || role == Role::kOther || role == Role::kBuffer) continue;
    if (++count == 1) first = tensors[i].name;
  }
  if (count == 0) return {};
  return {{.what = fmt::format("the numbers of {} tensor{}, such as {}", count,
                               count == 1 ? "" : "s", first),
           .found = "tensors of no elements",
           .expected = "weights; placeholders stand for what other processors held",
           .parameters = 0}};
}

}  // namespace tensorguard::internal
