// Adding models to a registry.
#ifndef TENSORGUARD_API_REGISTRY_REGISTRY_ADDITION_H_
#define TENSORGUARD_API_REGISTRY_REGISTRY_ADDITION_H_

#include <string>
#include <vector>

#include "api/fingerprints.h"
#include "api/reading/gathering.h"
#include "api/session.h"
#include "registry/models.h"

namespace tensorguard::internal {

struct AdditionRequest {
  std::string registry;
  std::vector<std::string> models;  // models, fingerprints, folders of them
  FingerprintReading reading = {};
  bool digests = false;  // reads weight files once more for their SHA-256, where no place says it
  NewModel told = {};    // name, source and revision are for a single model
  Stamp stamp = {};
};

struct AddedModels {
  std::vector<AddedModel> added;
  Shortfall shortfall;  // of the models
};

// Fingerprints what is none yet. A bad model does not keep the others from being added. The source
// of a model on the Hub is its address, the revision a commit's hash if it names one, and the
// digests of its files are kept. Errors: those of Registry::Open; kUsage for one name, source or
// revision for several models, and for digests of fingerprints alone; kCancelled.
Result<AddedModels> AddToRegistry(const AdditionRequest& request, const Session& session);

struct RelationRequest {
  std::string child;  // names of the registry
  std::string parent;
  std::string kind = "derived";
  Stamp stamp = {};
};

// What somebody says, and beside it what a comparison of the two measures.
struct RelatedModels {
  ModelRecord child;
  ModelRecord parent;
  std::string asserted;
  NewRelation measured;
  bool contradicted = false;  // a derivation is said, and the two are independent
};
Result<RelatedModels> RelateInRegistry(Registry& registry, const RelationRequest& request);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_REGISTRY_REGISTRY_ADDITION_H_
