#include "report/origin_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "drawing/html_text.h"

namespace tensorguard::internal {
namespace {

// Blues for one basis, orange for another, greys for nothing: told apart without red or green.
constexpr std::array<std::string_view, kOrigins.size()> kColors = {"#08519c", "#6baed6", "#e6860a",
                                                                   "#d9d9d9", "#f4f4f4", "#ffffff"};

std::string_view ColorOf(Origin origin) { return kColors[static_cast<size_t>(origin)]; }

constexpr int kTop = 40;
constexpr int kLeft = 150;
constexpr int kBarWidth = 240;
constexpr int kBarHeight = 14;
constexpr int kLegendWidth = 250;

struct Layout {
  int cell = 16;
  int name_step = 1;  // every n-th layer is named
  int width = 0;
};

Layout LayOut(const OriginGrid& grid) {
  Layout layout;
  const auto columns = static_cast<int>(std::max<size_t>(1, grid.column_names.size()));
  layout.cell = std::clamp(640 / columns, 4, 26);
  size_t longest = 1;
  for (const std::string& name : grid.column_names) longest = std::max(longest, name.size());
  const int room = 8 + 7 * static_cast<int>(std::min<size_t>(longest, 12));
  layout.name_step = std::max(1, (room + layout.cell - 1) / layout.cell);
  layout.width = std::max(
      {kLeft + columns * layout.cell + 10, kLeft + kBarWidth + 10, kLeft + 2 * kLegendWidth});
  return layout;
}

std::string Rectangle(int x, int y, int width, int height, Origin origin, const std::string& told) {
  return fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"#8c959f\" "
      "stroke-width=\"0.5\"{}><title>{}</title></rect>\n",
      x, y, width, height, ColorOf(origin),
      origin == Origin::kNotComparable || origin == Origin::kNotRead ? " stroke-dasharray=\"2\""
                                                                     : "",
      EscapeHtml(told));
}

std::string LayerRows(const OriginGrid& grid, const Layout& layout) {
  std::string svg;
  const auto step = static_cast<size_t>(layout.name_step);
  for (size_t column = 0; column < grid.column_names.size(); column += step) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n",
                       kLeft + static_cast<int>(column) * layout.cell, kTop - 5,
                       EscapeHtml(grid.column_names[column]));
  }
  for (size_t row = 0; row < grid.row_names.size(); ++row) {
    const int y = kTop + static_cast<int>(row) * layout.cell;
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 6,
                       y + layout.cell / 2 + 4, EscapeHtml(grid.row_names[row]));
    for (size_t column = 0; column < grid.column_names.size(); ++column) {
      const auto& cell = grid.cells[row][column];
      if (!cell) continue;
      svg += Rectangle(kLeft + static_cast<int>(column) * layout.cell, y, layout.cell, layout.cell,
                       cell->origin,
                       fmt::format("{} of layer {}: {}", grid.row_names[row],
                                   grid.column_names[column], OriginText(cell->origin)));
    }
  }
  return svg;
}

// A bar that is split as the table's parameters are.
std::string Bars(const OriginGrid& grid, int top) {
  std::string svg;
  int y = top;
  for (const OriginGrid::Row& row : grid.outside) {
    const std::string name =
        row.name.size() > 22 ? "…" + row.name.substr(row.name.size() - 21) : row.name;
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 6,
                       y + kBarHeight - 3, EscapeHtml(name));
    double x = kLeft;
    for (const Origin origin : kOrigins) {
      const double share = row.cell.counts.Share(origin);
      if (share == 0) continue;
      const int width = std::max(1, static_cast<int>(share * kBarWidth));
      svg += Rectangle(static_cast<int>(x), y, width, kBarHeight, origin,
                       fmt::format("{}: {:.1f}% {}", row.name, 100 * share, OriginText(origin)));
      x += width;
    }
    y += kBarHeight + 4;
  }
  return svg;
}

std::string Legend(int top) {
  std::string svg;
  for (size_t i = 0; i < kOrigins.size(); ++i) {
    const int x = kLeft + static_cast<int>(i % 2) * kLegendWidth;
    const int y = top + static_cast<int>(i / 2) * 20;
    svg += Rectangle(x, y, 12, 12, kOrigins[i], std::string(OriginText(kOrigins[i])));
    svg +=
        fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", x + 18, y + 11, OriginText(kOrigins[i]));
  }
  return svg;
}

}  // namespace

std::string DrawOriginMap(const OriginGrid& grid, const std::string& title) {
  const Layout layout = LayOut(grid);
  const int bars = kTop + static_cast<int>(grid.row_names.size()) * layout.cell + 10;
  const int legend = bars + static_cast<int>(grid.outside.size()) * (kBarHeight + 4) + 8;
  const int height = legend + 66;
  return fmt::format(
             "<figure><figcaption>{}</figcaption>\n<svg viewBox=\"0 0 {} {}\" width=\"{}\" "
             "role=\"img\" aria-label=\"{}\" class=\"map\">\n",
             EscapeHtml(title), layout.width, height, layout.width, EscapeHtml(title)) +
         fmt::format("<text x=\"{}\" y=\"14\">layers</text>\n", kLeft) + LayerRows(grid, layout) +
         Bars(grid, bars) + Legend(legend) + "</svg></figure>\n";
}

}  // namespace tensorguard::internal
