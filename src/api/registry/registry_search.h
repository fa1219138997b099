// Use cases of a registry that look for relatives of a model.
#ifndef TENSORGUARD_API_REGISTRY_REGISTRY_SEARCH_H_
#define TENSORGUARD_API_REGISTRY_REGISTRY_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/fingerprints.h"
#include "api/registry/exact_files.h"
#include "api/session.h"
#include "comparison/compare_fingerprints.h"
#include "registry/models.h"
#include "search/searcher.h"
#include "search/shared_parts.h"

namespace tensorguard::internal {

// What an answer about very many models rests on.
struct SearchSummary {
  size_t models = 0;        // of the registries, present
  size_t fingerprints = 0;  // of them, each content once: all were looked at
  size_t families = 0;      // of them, as far as measured relations tie them together
  size_t rescored = 0;      // by their signatures
  size_t by_parts = 0;      // that equal layers brought, not likeness
};

// The fingerprints of a registry that are worth a comparison with one in full: all of few, else
// those that ShortlistOf would name, and those that hold runs of its layers, number for number.
struct RegistryShortlist {
  std::vector<ModelRecord> models;  // one for each fingerprint
  SearchSummary summary;
};
Result<RegistryShortlist> ShortlistOfRegistry(Registry& registry, Searcher& searcher,
                                              const Fingerprint& unknown, unsigned threads);

// How many of the fingerprints are independent of one another, as far as is known: those that
// measured derivations tie together count once. What people and cards say does not count.
Result<size_t> CountFamilies(Registry& registry, size_t fingerprints);

struct RegistryQuery {
  std::string registry;
  // A model, a fingerprint file, the name of a model of the registry, or the SHA-256 of a file.
  std::string model;
  FingerprintReading reading = {};
  size_t limit = 20;
};

enum class WantedKin { kAny, kDescendants, kAncestors };

struct SearchRow {
  ModelRecord model;
  double score = 0;  // by signature; an estimate
  std::optional<Comparison> comparison = {};
};

struct RegistrySearchResult {
  std::string name;  // of the model
  ExactFiles exact = {};
  std::vector<SearchRow> rows = {};
  SearchSummary summary = {};
};

// The nearest by signature, a list and no verdict; with `full`, or for a kinship, the nearest of
// them compared in full, and of a kinship only those whose direction is shown. A file's digest that
// the registry does not know is near to nothing.
Result<RegistrySearchResult> SearchRegistry(const RegistryQuery& query, bool full,
                                            WantedKin kinship, const Session& session);

struct SharedPartsResult {
  std::string name;
  SharedMatrices parts;
};
Result<SharedPartsResult> SharedPartsInRegistry(const RegistryQuery& query, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_REGISTRY_REGISTRY_SEARCH_H_
