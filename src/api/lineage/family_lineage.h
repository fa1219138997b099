// Who came from whom among many models.
#ifndef TENSORGUARD_API_LINEAGE_FAMILY_LINEAGE_H_
#define TENSORGUARD_API_LINEAGE_FAMILY_LINEAGE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/reading/gathering.h"
#include "api/session.h"
#include "families/lineage/family_graph.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct LineageRequest {
  std::vector<std::string> known = {};   // fingerprints, folders of them, models
  std::optional<std::string> root = {};  // the one family that holds this model
  unsigned threads = 0;                  // 0: one per processor
};

struct FamilyLineage {
  std::vector<std::string> names = {};  // of the models, then of the missing ones; raw
  FamilyGraph graph;
  std::optional<size_t> only_family = {};
  Shortfall shortfall = {};
};

// Few models are all compared with each other, of many each with the nearest by its signature.
// Errors: kUsage for no model, and for a root that is not among them; kCancelled; those of
// CompareFingerprints.
Result<FamilyLineage> TraceFamilies(const LineageRequest& request, const Session& session);

// The same of fingerprints at hand, each of a name of its own; `request.known` is not looked at.
Result<FamilyLineage> TracePrints(const std::vector<Fingerprint>& models,
                                  const LineageRequest& request, const Listener& listener);

// Of a model, or of a missing one; index in `names`.
size_t FamilyOf(const FamilyLineage& lineage, size_t node);

// A line of the tree.
struct LineageLine {
  size_t node = 0;                    // in names
  size_t depth = 0;                   // 0: a root
  bool last = true;                   // of its parent's children
  std::string how = {};               // "made from it", "0.60 a + 0.40 b", ...; raw
  std::string doubt = {};             // what is not sure; empty where nothing is; raw
  const LineageEdge* edge = nullptr;  // the first of its parents; null for a root
};

// The families of two models and more, each from its root on, children by name below their first
// parent. Points into `lineage`.
std::vector<LineageLine> LinesOf(const FamilyLineage& lineage);

// Models without a relative among the others.
std::vector<size_t> ModelsAlone(const FamilyLineage& lineage);

// For `dot`.
std::string LineageToDot(const FamilyLineage& lineage);
// Pictures of the trees: an SVG file, and a page with it for a browser.
std::string LineageToSvg(const FamilyLineage& lineage);
std::string LineageToHtml(const FamilyLineage& lineage);

// Below this an edge is doubtful, and drawn with dashes.
inline constexpr double kSureEdge = 0.95;

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LINEAGE_FAMILY_LINEAGE_H_
