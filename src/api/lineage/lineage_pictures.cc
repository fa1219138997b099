#include "api/lineage/lineage_pictures.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "api/lineage/lineage_lines.h"
#include "base/text.h"
#include "report/lineage_drawing.h"

namespace tensorguard::internal {
namespace {

std::string DotName(const std::string& name) {
  std::string quoted = "\"";
  for (const char letter : EscapeControl(name)) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "\"";
}

LineageDrawing DrawingOf(const FamilyLineage& lineage) {
  LineageDrawing drawing;
  std::map<size_t, size_t> place;
  for (const LineageLine& line : LinesOf(lineage)) {
    place[line.node] = drawing.nodes.size();
    LineageNode node{.name = lineage.names[line.node],
                     .depth = line.depth,
                     .missing = line.node >= lineage.graph.models};
    if (line.edge != nullptr) {
      node.parent = place.at(line.edge->parent);
      node.how = line.doubt.empty() ? line.how : line.how + " (" + line.doubt + ")";
      node.directed = line.edge->directed;
      node.sure = line.edge->certainty >= kSureEdge;
      node.kind = line.edge->kind == EdgeKind::kMerge          ? LineageNodeKind::kMerge
                  : line.edge->kind == EdgeKind::kSameFunction ? LineageNodeKind::kSameFunction
                                                               : LineageNodeKind::kDescent;
    }
    drawing.nodes.push_back(std::move(node));
  }
  for (const LineageEdge& edge : lineage.graph.edges) {
    if (edge.kind != EdgeKind::kMerge || !place.contains(edge.child)) continue;
    const auto& node = drawing.nodes[place.at(edge.child)];
    const auto parent = place.find(edge.parent);
    if (parent == place.end() || node.parent == parent->second) continue;
    drawing.further_parents.emplace_back(parent->second, place.at(edge.child));
  }
  return drawing;
}

}  // namespace

std::string LineageToDot(const FamilyLineage& lineage) {
  std::string text = "digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n";
  for (size_t node = 0; node < lineage.names.size(); ++node) {
    const bool missing = node >= lineage.graph.models;
    if (!IsShown(lineage, FamilyOf(lineage, node))) continue;
    text += fmt::format("  {}{};\n", DotName(lineage.names[node]),
                        missing ? " [shape=ellipse, style=dashed]" : "");
  }
  for (const LineageEdge& edge : lineage.graph.edges) {
    if (!IsShown(lineage, FamilyOf(lineage, edge.child))) continue;
    std::string label =
        edge.kind == EdgeKind::kMerge
            ? fmt::format("{:.2f}", edge.weight)
            : std::string(edge.kind == EdgeKind::kSameFunction ? "same function" : "");
    text +=
        fmt::format("  {} -> {} [label=\"{}\"{}{}];\n", DotName(lineage.names[edge.parent]),
                    DotName(lineage.names[edge.child]), label, edge.directed ? "" : ", dir=none",
                    edge.certainty < kSureEdge ? ", style=dashed" : "");
  }
  return text + "}\n";
}

std::string LineageToSvg(const FamilyLineage& lineage) { return DrawLineage(DrawingOf(lineage)); }

std::string LineageToHtml(const FamilyLineage& lineage) {
  return DrawLineagePage(DrawingOf(lineage));
}

}  // namespace tensorguard::internal
