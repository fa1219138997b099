// The models of a registry that are nearest to one.
#ifndef TENSORGUARD_SEARCH_SEARCHER_H_
#define TENSORGUARD_SEARCH_SEARCHER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fingerprint/screening.h"
#include "registry/registry.h"
#include "search/vector_table.h"

namespace tensorguard::internal {

// So many by search vectors are scored by their signatures: docs/performance.md#search has what
// that leaves out.
inline constexpr size_t kVectorCandidates = 1000;

struct NearFingerprint {
  int64_t fingerprint = 0;  // its row
  double score = 0;         // ScreeningScore
  double vector_score = 0;  // SearchScore
};

// Holds every search vector of a registry, 280 bytes each. Answers only while it holds what the
// registry holds: each search first takes in what others added or removed meanwhile.
class Searcher {
 public:
  // `registry` must outlive it. Errors: those of the registry; kBadFile for a vector that is none.
  static Result<Searcher> Load(Registry& registry);

  // Fingerprints that a search looks at.
  size_t size() const { return table_.size(); }

  // The nearest by signature among the kVectorCandidates nearest by vector, nearest first. Errors:
  // those of Load.
  Result<std::vector<NearFingerprint>> Near(const ScreeningSignature& query, unsigned threads = 0);

  // Takes in what changed since.
  Result<void> Refresh();

 private:
  explicit Searcher(Registry& registry) : registry_(&registry) {}

  Result<void> ReadNew();

  Registry* registry_;
  VectorTable table_;
  int64_t removals_ = 0;  // Registry::Removals, when the table was read
};

// Signatures by their rows; a row that is gone is left out. Errors: kBadFile for one of no whole
// layers.
struct StoredSignature {
  int64_t fingerprint = 0;
  ScreeningSignature signature;
};
Result<std::vector<StoredSignature>> ReadSignatures(Database& database,
                                                    const std::vector<int64_t>& fingerprints);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SEARCH_SEARCHER_H_
