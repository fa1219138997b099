// Who came from whom among many models.
#ifndef TENSORGUARD_API_LINEAGE_FAMILY_LINEAGE_H_
#define TENSORGUARD_API_LINEAGE_FAMILY_LINEAGE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/lineage/declared_parents.h"
#include "api/reading/gathering.h"
#include "api/session.h"
#include "families/baselines/lineage_baselines.h"
#include "families/lineage/family_graph.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct LineageRequest {
  std::vector<std::string> known = {};   // fingerprints, folders of them, models
  std::optional<std::string> root = {};  // the one family that holds this model
  double min_certainty = 0;              // steps with a less certain parent are left out
  bool baselines = false;                // also what simpler rules say
  unsigned threads = 0;                  // 0: one per processor
};

struct FamilyLineage {
  std::vector<std::string> names = {};  // of the models, then of the missing ones; raw
  FamilyGraph graph;
  std::vector<LineageEdge> uncertain = {};              // left out, by child
  std::vector<std::vector<std::string>> declared = {};  // DeclaredParentsOf; empty: not asked
  std::vector<BaselineTrees> baselines = {};            // BaselinesOf; empty: not asked
  std::optional<size_t> only_family = {};
  Shortfall shortfall = {};
};

// Few models are all compared with each other, of many each with the nearest by its signature.
// Errors: kUsage for no model, for a root that is not among them, and for baselines of more than
// kMostForBaselines models; kCancelled; those of CompareFingerprints.
Result<FamilyLineage> TraceFamilies(const LineageRequest& request, const Session& session);

// The same of fingerprints at hand, each of a name of its own; `request.known` is not looked at.
// Nothing is declared of them.
Result<FamilyLineage> TracePrints(const std::vector<Fingerprint>& models,
                                  const LineageRequest& request, const Listener& listener);

// Of a model, or of a missing one; index in `names`.
size_t FamilyOf(const FamilyLineage& lineage, size_t node);

// Whether the family that `root` asked for, or every family, is this one.
bool IsShown(const FamilyLineage& lineage, size_t family);

// Memory of the baselines grows with the square of a family.
inline constexpr size_t kMostForBaselines = 2000;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LINEAGE_FAMILY_LINEAGE_H_
