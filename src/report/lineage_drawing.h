// Family trees as pictures.
#ifndef TENSORGUARD_REPORT_LINEAGE_DRAWING_H_
#define TENSORGUARD_REPORT_LINEAGE_DRAWING_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tensorguard::internal {

enum class LineageNodeKind { kDescent, kMerge, kSameFunction };

struct LineageNode {
  std::string name = {};              // raw text
  std::string how = {};               // raw text, shown on pointing
  size_t depth = 0;                   // 0: a root
  std::optional<size_t> parent = {};  // an earlier node; empty for a root
  LineageNodeKind kind = LineageNodeKind::kDescent;
  bool missing = false;   // a model that is not there
  bool directed = false;  // of the step from the parent
  bool sure = true;
};

// Each tree from its root on, a node before what is below it.
struct LineageDrawing {
  std::vector<LineageNode> nodes = {};
  std::vector<std::pair<size_t, size_t>> further_parents = {};  // of merges: parent, child
};

struct NodePlace {
  double x = 0;
  double y = 0;
};

// A tidy layout in linear time: a row for each leaf, a node in the middle of its children, a column
// for each generation as wide as its longest name. Parallel to the nodes.
std::vector<NodePlace> PlaceNodes(const LineageDrawing& drawing);

// SVG that follows the reader's choice of light or dark; and a page with it.
std::string DrawLineage(const LineageDrawing& drawing);
std::string DrawLineagePage(const LineageDrawing& drawing);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REPORT_LINEAGE_DRAWING_H_
