// Who came from whom among many models.
#ifndef TENSORGUARD_TENSORGUARD_LINEAGE_H_
#define TENSORGUARD_TENSORGUARD_LINEAGE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensorguard/export.h"
#include "tensorguard/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard {

// A model of a family tree.
struct LineageNode {
  std::string name = {};
  size_t family = 0;
  bool root = false;     // of its family
  bool missing = false;  // no model that was given: one that those given must come from
};

// A step from a model to one that it was made from (docs/lineage.md).
struct LineageEdge {
  std::string child = {};
  std::string parent = {};
  std::string kind = {};  // "descent", "merge", "same_function"
  bool directed = false;  // it is shown that the child came later; else the two are neighbours
  double certainty = 0;   // in [0, 1], that the parent is right
  double weight = 1;      // of the parent in a merge
  std::optional<std::string> runner_up = {};  // what it came from if not from the parent
};

namespace internal {
struct FamilyLineage;
}

struct Lineage {
  std::vector<LineageNode> nodes = {};
  std::vector<LineageEdge> edges = {};  // by child
  // For LineageAsJson and the pictures; never null in what the library returns.
  std::shared_ptr<const internal::FamilyLineage> details = {};
};

struct LineageOptions {
  std::string root = {};  // only the family that holds this model; empty for all
  unsigned threads = 0;   // 0: one per processor
  Callbacks callbacks = {};
};

// Few models are all compared with each other, of many each with the nearest by its signature.
// Errors: kUsage for no model, and for a root that is none of them; kMismatch for two models of one
// name; kCancelled; those of Compare. Thread-safe.
TENSORGUARD_EXPORT Result<Lineage> TraceLineage(std::span<const Fingerprint> models,
                                                const LineageOptions& options = {});

// The object that `tensorguard lineage --json` prints (docs/json.md); pictures of the trees, as SVG
// and as a page for a browser; the text of a graph for `dot`.
// REQUIRES: a lineage that the library returned.
TENSORGUARD_EXPORT std::string LineageAsJson(const Lineage& lineage);
TENSORGUARD_EXPORT std::string LineageAsSvg(const Lineage& lineage);
TENSORGUARD_EXPORT std::string LineageAsHtml(const Lineage& lineage);
TENSORGUARD_EXPORT std::string LineageAsDot(const Lineage& lineage);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_LINEAGE_H_
