#include "report/lineage_drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "drawing/html_text.h"

namespace tensorguard::internal {
namespace {

constexpr double kRow = 26;
constexpr double kLetter = 7.6;  // of the widest letters that names use often
constexpr double kGap = 64;      // between generations
constexpr double kMargin = 16;
constexpr size_t kLongestName = 48;

std::string ShownName(const LineageNode& node) {
  std::string name = node.name;
  if (name.size() > kLongestName) name = name.substr(0, kLongestName - 3) + "...";
  return name;
}

double WidthOf(const LineageNode& node) {
  return kLetter * static_cast<double>(ShownName(node).size()) + 16;
}

// Left edge of each generation.
std::vector<double> ColumnsOf(const LineageDrawing& drawing) {
  std::vector<double> widths;
  for (const LineageNode& node : drawing.nodes) {
    if (widths.size() <= node.depth) widths.resize(node.depth + 1);
    widths[node.depth] = std::max(widths[node.depth], WidthOf(node));
  }
  std::vector<double> lefts;
  double left = kMargin;
  for (const double width : widths) {
    lefts.push_back(left);
    left += width + kGap;
  }
  return lefts;
}

std::string_view ClassOf(LineageNodeKind kind) {
  switch (kind) {
    case LineageNodeKind::kDescent:
      return "descent";
    case LineageNodeKind::kMerge:
      return "merge";
    case LineageNodeKind::kSameFunction:
      break;
  }
  return "same";
}

constexpr std::string_view kStyle = R"(<style>
.lineage{--ink:#1b1f24;--paper:#ffffff;--line:#57606a;--merge:#8250df;--same:#0969da;--box:#f6f8fa}
@media (prefers-color-scheme:dark){.lineage{--ink:#e6edf3;--paper:#0d1117;--line:#8b949e;
--merge:#d2a8ff;--same:#79c0ff;--box:#161b22}}
.lineage .paper{fill:var(--paper)}
.lineage text{fill:var(--ink);font:13px ui-monospace,"DejaVu Sans Mono",monospace}
.lineage rect.node{fill:var(--box);stroke:var(--line)}
.lineage rect.missing{stroke-dasharray:4 3}
.lineage path{fill:none;stroke:var(--line);stroke-width:1.4}
.lineage path.merge{stroke:var(--merge)}
.lineage path.same{stroke:var(--same)}
.lineage path.doubt{stroke-dasharray:5 4}
.lineage .tip{fill:var(--line);stroke:none}
</style>
)";

std::string Curve(const NodePlace& from, double from_right, const NodePlace& to,
                  std::string_view classes) {
  const double middle = (from_right + to.x) / 2;
  return fmt::format(
      "<path class=\"{}\" d=\"M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} "
      "{:.1f}\"/>\n",
      classes, from_right, from.y, middle, from.y, middle, to.y, to.x, to.y);
}

std::string Tip(const NodePlace& at) {
  return fmt::format("<path class=\"tip\" d=\"M{:.1f} {:.1f}l-8 -4v8z\"/>\n", at.x, at.y);
}

std::string DrawEdges(const LineageDrawing& drawing, const std::vector<NodePlace>& places) {
  std::string svg;
  for (size_t i = 0; i < drawing.nodes.size(); ++i) {
    const LineageNode& node = drawing.nodes[i];
    if (!node.parent) continue;
    const double right = places[*node.parent].x + WidthOf(drawing.nodes[*node.parent]);
    svg += Curve(places[*node.parent], right, places[i],
                 std::string(ClassOf(node.kind)) + (node.sure ? "" : " doubt"));
    if (node.directed) svg += Tip(places[i]);
  }
  for (const auto& [parent, child] : drawing.further_parents) {
    const double right = places[parent].x + WidthOf(drawing.nodes[parent]);
    svg += Curve(places[parent], right, places[child], "merge");
  }
  return svg;
}

std::string DrawNodes(const LineageDrawing& drawing, const std::vector<NodePlace>& places) {
  std::string svg;
  for (size_t i = 0; i < drawing.nodes.size(); ++i) {
    const LineageNode& node = drawing.nodes[i];
    svg += fmt::format(
        "<g><title>{}</title><rect class=\"node{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"20\" rx=\"4\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>\n",
        EscapeHtml(node.how.empty() ? node.name : node.name + ": " + node.how),
        node.missing ? " missing" : "", places[i].x, places[i].y - 10, WidthOf(node),
        places[i].x + 8, places[i].y + 4.5, EscapeHtml(ShownName(node)));
  }
  return svg;
}

}  // namespace

std::vector<NodePlace> PlaceNodes(const LineageDrawing& drawing) {
  const auto& nodes = drawing.nodes;
  const std::vector<double> columns = ColumnsOf(drawing);
  std::vector<NodePlace> places(nodes.size());
  std::vector<double> first(nodes.size(), -1);
  std::vector<double> last(nodes.size(), -1);
  double row = kMargin + kRow / 2;
  // A node stands before what is below it: from the back every child is placed before its parent.
  // Leaves take their rows from the front.
  std::vector<bool> has_children(nodes.size());
  for (const LineageNode& node : nodes) {
    if (node.parent) has_children[*node.parent] = true;
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    places[i].x = columns[nodes[i].depth];
    if (i > 0 && !nodes[i].parent) row += kRow / 2;
    if (has_children[i]) continue;
    places[i].y = row;
    row += kRow;
  }
  for (size_t i = nodes.size(); i-- > 0;) {
    if (has_children[i]) places[i].y = (first[i] + last[i]) / 2;
    if (!nodes[i].parent) continue;
    const size_t parent = *nodes[i].parent;
    first[parent] = places[i].y;
    if (last[parent] < 0) last[parent] = places[i].y;
  }
  return places;
}

std::string DrawLineage(const LineageDrawing& drawing) {
  const std::vector<NodePlace> places = PlaceNodes(drawing);
  double width = 2 * kMargin;
  double height = 2 * kMargin;
  for (size_t i = 0; i < places.size(); ++i) {
    width = std::max(width, places[i].x + WidthOf(drawing.nodes[i]) + kMargin);
    height = std::max(height, places[i].y + kRow / 2 + kMargin);
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"lineage\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n{2}<rect class=\"paper\" "
      "width=\"{0:.0f}\" height=\"{1:.0f}\"/>\n{3}{4}</svg>\n",
      width, height, kStyle, DrawEdges(drawing, places), DrawNodes(drawing, places));
}

std::string DrawLineagePage(const LineageDrawing& drawing) {
  std::string rows;
  for (const LineageNode& node : drawing.nodes) {
    if (!node.how.empty()) {
      rows += fmt::format("<li>{}: {}</li>\n", EscapeHtml(node.name), EscapeHtml(node.how));
    }
  }
  return HtmlPage("Lineage",
                  "<h1>Who came from whom</h1>\n<p>An arrow: shown to be made from it. A "
                  "line without one: neighbours, and which came first is not shown. "
                  "Dashes: the parent is not sure. Violet: merges; blue: the same "
                  "function.</p>\n<div style=\"overflow-x:auto\">" +
                      DrawLineage(drawing) + "</div>\n<ul>\n" + rows + "</ul>\n");
}

}  // namespace tensorguard::internal
