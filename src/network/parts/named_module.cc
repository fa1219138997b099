#include "network/parts/named_module.h"

#include <fmt/format.h>

#include <utility>

#include "base/try.h"

namespace tensorguard::internal {

std::optional<NamedModule> NamedModule::Holding(const LayerParts& layer, std::string_view member) {
  const Weight* weight = layer.Named(member);
  if (weight == nullptr) return {};
  std::string_view module = layer.NameOf(*weight);
  if (module.size() < member.size() + 1) return NamedModule(layer, "");
  module.remove_suffix(member.size() + 1);
  const size_t dot = module.rfind('.');
  return NamedModule(layer, dot == std::string_view::npos ? module : module.substr(dot + 1));
}

uint32_t NamedModule::layer_index() const {
  for (const Weight* weight : layer_->weights()) {
    if (weight->role.layer) return *weight->role.layer;
  }
  return 0;
}

std::string NamedModule::Ending(std::string_view member) const {
  return name_.empty() ? std::string(member) : fmt::format("{}.{}", name_, member);
}

Error NamedModule::Missing(const std::string& ending) const {
  return {.kind = ErrorKind::kBadFile,
          .problem = fmt::format("layer {} lacks a part of its mixer", layer_index()),
          .expected = fmt::format("a tensor whose name ends in \"{}\"", ending)};
}

const Weight* NamedModule::Find(std::string_view member) const {
  return layer_->Named(Ending(member));
}

Result<const Weight*> NamedModule::Require(std::string_view member) const {
  const Weight* weight = Find(member);
  if (weight == nullptr) return Missing(Ending(member));
  return weight;
}

Result<LinearMap> NamedModule::RequireMap(std::string_view member) const {
  const auto map = layer_->NamedMap(Ending(member));
  if (!map) return Missing(Ending(member) + ".weight");
  return *map;
}

Result<std::vector<float>> NamedModule::ReadVector(std::string_view member, uint64_t size) const {
  TG_ASSIGN(const auto weight, Require(member));
  return tensorguard::internal::ReadVector(layer_->source(), *weight, size);
}

Result<std::optional<std::vector<float>>> NamedModule::FindVector(std::string_view member,
                                                                  uint64_t size) const {
  const Weight* weight = Find(member);
  if (weight == nullptr) return std::optional<std::vector<float>>();
  TG_ASSIGN(auto values, tensorguard::internal::ReadVector(layer_->source(), *weight, size));
  return std::optional(std::move(values));
}

Result<FloatMatrix> NamedModule::Apply(std::string_view member, const FloatMatrix& rows,
                                       std::optional<uint64_t> outputs) const {
  TG_ASSIGN(const auto map, RequireMap(member));
  if (outputs && map.outputs() != *outputs) {
    return ContradictoryPart(*layer_, *map.weight,
                             "has another number of outputs than the mixer's other parts want",
                             fmt::format("{}", map.outputs()), fmt::format("{}", *outputs));
  }
  return map.Apply(rows);
}

Error ContradictoryPart(const LayerParts& layer, const Weight& weight, std::string problem,
                        std::string found, std::string expected) {
  return {.kind = ErrorKind::kBadFile,
          .problem = std::move(problem),
          .tensor = layer.NameOf(weight),
          .found = std::move(found),
          .expected = std::move(expected)};
}

}  // namespace tensorguard::internal
