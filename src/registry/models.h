// The models of a registry: adding, finding, removing.
#ifndef TENSORGUARD_REGISTRY_MODELS_H_
#define TENSORGUARD_REGISTRY_MODELS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "registry/prepared_fingerprint.h"
#include "registry/registry.h"

namespace tensorguard::internal {

enum class Addition {
  kAdded,
  kAlreadyThere,  // the same model of the same content; nothing changed but its labels
};

struct AddedModel {
  ModelRecord model;
  Addition addition = Addition::kAdded;
  size_t superseded = 0;  // earlier revisions of its source
};

// In one transaction: a reader sees all of it or nothing. Equal content is stored once. An earlier
// revision of the same source and sub-path is superseded. Errors: kUsage for a text that is not
// UTF-8, or too long, or an unknown kind or trust; kMismatch where this revision of the source is
// there with another content: a revision may not move; those of the database.
Result<AddedModel> AddModel(Registry& registry, const PreparedFingerprint& fingerprint,
                            const NewModel& model, const Stamp& stamp);

struct ModelToAdd {
  const PreparedFingerprint* fingerprint = nullptr;  // never null
  NewModel model = {};
};
// Several in one transaction: a disk is asked once to keep them. All, or where one is refused none.
// Errors: those of AddModel, of the first that is refused.
Result<std::vector<AddedModel>> AddModels(Registry& registry, std::span<const ModelToAdd> models,
                                          const Stamp& stamp);

// Signature, search vector and digests of a fingerprint's row. Part of a transaction.
Result<void> StoreDerived(Database& database, int64_t id, const PreparedFingerprint& print);

struct ModelFilter {
  std::string name = {};        // empty: all
  std::string collection = {};  // empty: all
  bool all_states = false;      // those too that are superseded or withdrawn
  int64_t after = 0;            // only models with higher numbers
  int64_t limit = -1;           // -1: all
};

// In the order in which they were added.
Result<std::vector<ModelRecord>> ListModels(Registry& registry, const ModelFilter& filter = {});

// By its name, or by "#7", its number. Errors: kNotFound, with the nearest name; kUsage for a name
// that several have, with their numbers.
Result<ModelRecord> FindModel(Registry& registry, const std::string& name);

// Empty if there is none.
Result<std::optional<ModelRecord>> FindBySource(Registry& registry, const std::string& source,
                                                const std::string& revision,
                                                const std::string& sub_path);

// Those that have this fingerprint.
Result<std::vector<ModelRecord>> ModelsOfFingerprint(Registry& registry, int64_t fingerprint);

struct ModelDetails {
  ModelRecord model;
  std::vector<LicenseClaim> licenses = {};
  std::vector<ModelFile> files = {};
  std::vector<RelationRecord> relations = {};  // with it as child or parent
};
Result<ModelDetails> DetailsOf(Registry& registry, const ModelRecord& model);

// The row goes before the fingerprint that only it had; the log keeps that it was there.
Result<void> RemoveModel(Registry& registry, const ModelRecord& model, const Stamp& stamp);

Result<std::vector<std::byte>> FingerprintBytes(Registry& registry, const ModelRecord& model);
// Under the model's name in the registry.
Result<Fingerprint> FingerprintOfModel(Registry& registry, const ModelRecord& model);

// The same of several, in their order: their bytes are read one after the other, and checked on
// `threads` threads (0: one per processor).
std::vector<Result<Fingerprint>> FingerprintsOfModels(Registry& registry,
                                                      std::span<const ModelRecord> models,
                                                      unsigned threads);

// That the child comes from the parent, as somebody says or as it was measured. Said or measured
// anew, it replaces what was there.
struct NewRelation {
  std::string kind = "derived";
  bool measured = false;
  std::optional<double> score = {};
  std::optional<double> p_value = {};
};
// Errors: kUsage for a model and itself, or an unknown kind.
Result<void> RelateModels(Registry& registry, const ModelRecord& child, const ModelRecord& parent,
                          const NewRelation& relation, const Stamp& stamp);

// All relations, in the order in which they were said.
Result<std::vector<RelationRecord>> ListRelations(Registry& registry);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_MODELS_H_
