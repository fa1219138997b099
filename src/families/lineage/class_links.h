// How the classes of a family hang together: other shapes, depths, bases.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_CLASS_LINKS_H_
#define TENSORGUARD_FAMILIES_LINEAGE_CLASS_LINKS_H_

#include <cstddef>
#include <vector>

#include "families/lineage/class_tree.h"
#include "families/lineage/kinship.h"
#include "families/lineage/lineage_edge.h"

namespace tensorguard::internal {

struct ClassLinks {
  std::vector<ClassTree> trees = {};    // rooted anew where another member is the link
  size_t top = 0;                       // the class that holds the root of the family
  std::vector<LineageEdge> edges = {};  // of the roots of all other classes
};

// From the class that most others came after, each time the class that is nearest to one that hangs
// there already: by one function, by the weights that both have in one basis, by what the layers
// answer. REQUIRES: trees of one family.
ClassLinks LinkClasses(const std::vector<ClassTree>& trees, const Kinships& kinships);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_CLASS_LINKS_H_
