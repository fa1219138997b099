#include "network/parts/layer_parts.h"

#include "base/text.h"

namespace tensorguard::internal {
namespace {

const Weight* FindIn(std::span<const Weight* const> weights, Role role, bool bias,
                     const PartFilter& filter) {
  for (const Weight* weight : weights) {
    const TensorRole& found = weight->role;
    if (found.role == role && found.is_bias == bias && found.expert == filter.expert &&
        found.cross_attention == filter.cross_attention &&
        found.shared_expert == filter.shared_expert) {
      return weight;
    }
  }
  return nullptr;
}

}  // namespace

bool EndsInWords(std::string_view name, std::string_view ending) {
  if (ending.size() > name.size()) return false;
  const size_t begin = name.size() - ending.size();
  if (begin > 0 && name[begin - 1] != '.') return false;
  return LowerAscii(name.substr(begin)) == LowerAscii(ending);
}

const Weight* LayerParts::Find(Role role, const PartFilter& filter) const {
  return FindIn(weights_, role, false, filter);
}

const Weight* LayerParts::FindBias(Role role, const PartFilter& filter) const {
  return FindIn(weights_, role, true, filter);
}

std::optional<LinearMap> LayerParts::FindMap(Role role, const PartFilter& filter) const {
  const Weight* weight = Find(role, filter);
  if (weight == nullptr || weight->is_vector) return {};
  return LinearMap{source_, weight, FindBias(role, filter)};
}

const Weight* LayerParts::Named(std::string_view ending) const {
  for (const Weight* weight : weights_) {
    if (EndsInWords(NameOf(*weight), ending)) return weight;
  }
  return nullptr;
}

std::optional<LinearMap> LayerParts::NamedMap(std::string_view module) const {
  const std::string path(module);
  const Weight* weight = Named(path + ".weight");
  if (weight == nullptr) weight = Named(module);
  if (weight == nullptr || weight->is_vector) return {};
  return LinearMap{source_, weight, Named(path + ".bias")};
}

}  // namespace tensorguard::internal
