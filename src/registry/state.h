// How much a registry holds, how old it is, and whether it is whole.
#ifndef TENSORGUARD_REGISTRY_STATE_H_
#define TENSORGUARD_REGISTRY_STATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "registry/registry.h"

namespace tensorguard::internal {

struct RegistryStatus {
  std::string engine = {};  // "SQLite", "PostgreSQL"
  std::string blobs = {};   // "inline", "folder"
  int64_t schema_version = 0;
  int64_t models = 0;       // present
  int64_t past_models = 0;  // superseded or withdrawn
  int64_t fingerprints = 0;
  int64_t fingerprint_bytes = 0;
  int64_t matrices = 0;  // whose digests can be looked up
  int64_t relations = 0;
  int64_t events = 0;
  std::optional<int64_t> created_at = {};
  std::optional<int64_t> last_added_at = {};
};
Result<RegistryStatus> StatusOf(Registry& registry);

struct Event {
  Stamp stamp;
  std::string what;
  std::string subject;
  std::string detail;
};
// The last so many, oldest first.
Result<std::vector<Event>> LastEvents(Registry& registry, int64_t limit);

struct Fault {
  std::string problem;  // a sentence
  std::string subject;  // a model's name, a digest
  bool repaired = false;
};

// The file of a fingerprint that no model has: what a program left that was ended while it added or
// removed a model. Nothing is wrong with the registry.
struct Leftover {
  Blake3Digest digest = {};
  bool removed = false;
};

struct Verification {
  std::vector<Fault> faults = {};
  std::vector<Leftover> leftovers = {};
};

// Checks everything: the database file's structure, that each fingerprint is there, has the bytes
// of its digest, is read by the strict reader, and that signature, search vector and digests are
// its own; that no fingerprint is without a model. With `repair` what can be computed anew is, and
// what no model has is removed, leftovers too. `on_checked` hears of each fingerprint. Errors:
// those of the database.
Result<Verification> VerifyRegistry(
    Registry& registry, bool repair, const Stamp& stamp,
    const std::function<Result<void>(int64_t done, int64_t all)>& on_checked = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_STATE_H_
