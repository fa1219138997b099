// Who came from whom among models: families, parents, merges, missing models, with their doubt.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_FAMILY_GRAPH_H_
#define TENSORGUARD_FAMILIES_LINEAGE_FAMILY_GRAPH_H_

#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "comparison/merges/merge_parents.h"
#include "families/lineage/kinship.h"
#include "families/lineage/lineage_edge.h"
#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FamilyGraph {
  size_t models = 0;
  std::vector<size_t> family_of_model = {};        // by each family's first model
  std::vector<size_t> root_of_family = {};         // a model, or a missing one
  std::vector<size_t> family_of_missing = {};      // of the missing models, from `models` on
  std::vector<LineageEdge> edges = {};             // by child
  std::vector<std::vector<size_t>> groups = {};    // models of one function, two or more
  std::map<size_t, MergeExplanation> merges = {};  // by child; MergeParent::candidate is a model

  // Those of the child, the one of most weight first.
  std::vector<const LineageEdge*> ParentsOf(size_t child) const;
};

struct GraphOptions {
  size_t rounds = 40;  // of the bootstrap over the matrices
  unsigned threads = 0;
};

// `pairs` are those that are compared, all others are taken for unrelated. Families are linked by
// verdicts of derivation. Errors: those of CompareFingerprints.
Result<FamilyGraph> InferFamilyGraph(std::span<const Fingerprint* const> models,
                                     std::span<const std::pair<size_t, size_t>> pairs,
                                     const GraphOptions& options = {});

// From what the pairs are to each other.
FamilyGraph GraphOf(std::span<const Fingerprint* const> models, const Kinships& kinships,
                    const GraphOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_FAMILY_GRAPH_H_
