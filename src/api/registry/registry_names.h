// Models of a registry among the arguments of commands: REGISTRY, or REGISTRY#NAME for one.
#ifndef TENSORGUARD_API_REGISTRY_REGISTRY_NAMES_H_
#define TENSORGUARD_API_REGISTRY_REGISTRY_NAMES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/registry/open_registries.h"
#include "fingerprint/fingerprint.h"
#include "registry/records.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// A model of a registry: its name, or its number after another "#".
struct StoredModelName {
  std::string registry;
  std::string model;
};

// Empty where `argument` is a path that exists, or what stands before its last "#" is no registry.
std::optional<StoredModelName> ParseStoredModelName(const std::string& argument);

// "REGISTRY##7" of each model that is present. Errors: those of Registry::Open and ListModels.
Result<std::vector<std::string>> StoredModelNames(const std::string& registry,
                                                  OpenRegistries& registries);

// Errors: those of Registry::Open, FindModel and FingerprintOfModel.
Result<Fingerprint> StoredFingerprint(const StoredModelName& name, OpenRegistries& registries);

// A model as its registry holds it, to be added to another one.
struct ModelOfRegistry {
  ModelRecord record;
  std::vector<std::byte> fingerprint;  // its file
};
Result<ModelOfRegistry> ReadStoredModel(const StoredModelName& name, OpenRegistries& registries);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_REGISTRY_REGISTRY_NAMES_H_
