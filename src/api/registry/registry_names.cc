#include "api/registry/registry_names.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "base/try.h"
#include "registry/models.h"

namespace tensorguard::internal {

std::optional<StoredModelName> ParseStoredModelName(const std::string& argument) {
  std::error_code ignored;
  if (std::filesystem::exists(argument, ignored)) return {};
  const size_t begin = argument.find('#');
  for (size_t at = begin; at != argument.npos; at = argument.find('#', at + 1)) {
    if (!NamesRegistry(argument.substr(0, at)) || at + 1 == argument.size()) continue;
    return StoredModelName{.registry = argument.substr(0, at), .model = argument.substr(at + 1)};
  }
  return {};
}

Result<std::vector<std::string>> StoredModelNames(const std::string& registry,
                                                  OpenRegistries& registries) {
  TG_ASSIGN(const auto models,
            registries.With(registry, [](Registry& opened) { return ListModels(opened); }));
  std::vector<std::string> names;
  for (const ModelRecord& each : models) names.push_back(fmt::format("{}##{}", registry, each.id));
  return names;
}

Result<Fingerprint> StoredFingerprint(const StoredModelName& name, OpenRegistries& registries) {
  return registries.With(name.registry, [&](Registry& registry) -> Result<Fingerprint> {
    TG_ASSIGN(const auto model, FindModel(registry, name.model));
    return FingerprintOfModel(registry, model);
  });
}

Result<ModelOfRegistry> ReadStoredModel(const StoredModelName& name, OpenRegistries& registries) {
  return registries.With(name.registry, [&](Registry& registry) -> Result<ModelOfRegistry> {
    TG_ASSIGN(auto record, FindModel(registry, name.model));
    TG_ASSIGN(auto bytes, FingerprintBytes(registry, record));
    return ModelOfRegistry{.record = std::move(record), .fingerprint = std::move(bytes)};
  });
}

}  // namespace tensorguard::internal
