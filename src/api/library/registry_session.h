// What stands behind a registry of the library, and its records as the library hands them out.
#ifndef TENSORGUARD_API_LIBRARY_REGISTRY_SESSION_H_
#define TENSORGUARD_API_LIBRARY_REGISTRY_SESSION_H_

#include <memory>
#include <optional>
#include <utility>

#include "base/try.h"
#include "registry/records.h"
#include "registry/registry.h"
#include "search/searcher.h"
#include "tensorguard/registry.h"

namespace tensorguard::internal {

class RegistrySession {
 public:
  explicit RegistrySession(std::unique_ptr<Registry> registry) : registry_(std::move(registry)) {}

  Registry& registry() { return *registry_; }

  // Kept from the first search on.
  Result<Searcher*> searcher() {
    if (!searcher_) {
      TG_ASSIGN(searcher_, Searcher::Load(*registry_));
    }
    return &*searcher_;
  }

 private:
  std::unique_ptr<Registry> registry_;
  std::optional<Searcher> searcher_;
};

RegistryModel PublicModel(const ModelRecord& model);
RegistryFile PublicFile(const ModelFile& file);
RegistryRelation PublicRelation(const RelationRecord& relation);

// Errors: kUsage for a digest that is none.
Result<ModelFile> FileFrom(const RegistryFile& file);

// Errors: kUsage.
Result<Sha256Digest> Sha256From(const std::string& digits);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LIBRARY_REGISTRY_SESSION_H_
