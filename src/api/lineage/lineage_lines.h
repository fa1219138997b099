// The trees of a lineage as lines of text.
#ifndef TENSORGUARD_API_LINEAGE_LINEAGE_LINES_H_
#define TENSORGUARD_API_LINEAGE_LINEAGE_LINES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "api/lineage/family_lineage.h"

namespace tensorguard::internal {

// Below this an edge is doubtful, and drawn with dashes.
inline constexpr double kSureEdge = 0.95;

// A line of the tree.
struct LineageLine {
  size_t node = 0;                    // in names
  size_t depth = 0;                   // 0: a root
  bool last = true;                   // of its parent's children
  std::string how = {};               // "made from it", "0.60 a + 0.40 b", ...; raw
  std::string doubt = {};             // what is not sure; empty where nothing is; raw
  std::string declared = {};          // "agrees", ...; empty where nothing is declared
  const LineageEdge* edge = nullptr;  // the first of its parents; null for a root
};

// The families of two models and more, each from its root on, children by name below their first
// parent; then, from each on, the models whose parent is not certain enough. Points into `lineage`.
std::vector<LineageLine> LinesOf(const FamilyLineage& lineage);

// Models without a relative among the others.
std::vector<size_t> ModelsAlone(const FamilyLineage& lineage);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LINEAGE_LINEAGE_LINES_H_
