// The tree of models of one build and one basis, with the doubt on its edges.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_CLASS_TREE_H_
#define TENSORGUARD_FAMILIES_LINEAGE_CLASS_TREE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "families/lineage/kinship.h"
#include "families/lineage/lineage_edge.h"

namespace tensorguard::internal {

struct ClassTree {
  std::vector<size_t> members = {};
  size_t root = 0;
  bool root_is_sure = false;  // it is well ahead of the next that may be it
  std::vector<LineageEdge> edges = {};
  // Set: root and its children come from a model that is not there; how sure that is.
  std::optional<double> missing_parent = {};
};

// `rounds` of a bootstrap over the matrices say how sure each parent is. `merges`: each merge with
// its parents. `root`: the root where it is known. REQUIRES: members as BuildClassesOf has them.
ClassTree BuildClassTree(std::span<const size_t> members, const Kinships& kinships,
                         const std::map<size_t, std::set<size_t>>& merges, size_t rounds,
                         std::optional<size_t> root = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_CLASS_TREE_H_
