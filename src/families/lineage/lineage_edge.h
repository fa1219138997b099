// A step from a model to the one that it was made from.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_LINEAGE_EDGE_H_
#define TENSORGUARD_FAMILIES_LINEAGE_LINEAGE_EDGE_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "comparison/direction/direction.h"

namespace tensorguard::internal {

enum class EdgeKind {
  kDescent,       // made from the parent: trained on, rounded, cut, extended
  kMerge,         // one of several parents
  kSameFunction,  // a copy, or the same function in another basis
};

// "descent", "merge", "same_function".
std::string_view EdgeKindName(EdgeKind kind);

struct LineageEdge {
  size_t child = 0;   // a model
  size_t parent = 0;  // a model, or a missing one: from the number of models on
  EdgeKind kind = EdgeKind::kDescent;
  // Whether it is shown that the child came later. Else the two are neighbours in the tree, and
  // parent is the one that is nearer to its root.
  bool directed = false;
  double certainty = 0;  // that the parent is right, in [0, 1]; of a missing one that it is missing
  std::optional<size_t> runner_up = {};     // what the child came from if not from the parent
  double weight = 1;                        // of the parent in a merge
  std::optional<double> weight_error = {};  // its standard error, where there is one
  // What of the two alone speaks for one of them as the later one: kA is the parent, kB the child.
  std::vector<DirectionSign> signs = {};
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_LINEAGE_EDGE_H_
