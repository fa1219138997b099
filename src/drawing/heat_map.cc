#include "drawing/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "drawing/html_text.h"

namespace tensorguard::internal {
namespace {

struct Color {
  double red = 0;
  double green = 0;
  double blue = 0;
};

// From pale to dark blue: light falls evenly, so that it also reads in grey and without red or
// green.
constexpr std::array<Color, 5> kScale = {
    {{247, 251, 255}, {198, 219, 239}, {107, 174, 214}, {33, 113, 181}, {8, 48, 107}}};

Color ColorOf(double value) {
  const double place = std::clamp(value, 0.0, 1.0) * static_cast<double>(kScale.size() - 1);
  const size_t below = std::min(static_cast<size_t>(place), kScale.size() - 2);
  const double share = place - static_cast<double>(below);
  const Color& a = kScale[below];
  const Color& b = kScale[below + 1];
  return {a.red + share * (b.red - a.red), a.green + share * (b.green - a.green),
          a.blue + share * (b.blue - a.blue)};
}

std::string HexOf(const Color& color) {
  return fmt::format("#{:02x}{:02x}{:02x}", std::lround(color.red), std::lround(color.green),
                     std::lround(color.blue));
}

// Pixels.
struct Layout {
  int cell = 0;
  int left = 0;
  int top = 34;
  int scale_height = 34;
  int name_step = 1;  // every n-th name is written
  bool shows_values = false;

  int x(size_t column) const { return left + cell * static_cast<int>(column); }
  int y(size_t row) const { return top + cell * static_cast<int>(row); }
};

Layout LayOut(const HeatMap& map) {
  const size_t most = std::max({map.row_names.size(), map.column_names.size(), size_t{1}});
  size_t longest = 1;
  for (const std::string& name : map.row_names) longest = std::max(longest, name.size());
  Layout layout;
  layout.cell = std::clamp(420 / static_cast<int>(most), 5, 34);
  layout.left = 26 + 6 * static_cast<int>(std::min<size_t>(longest, 24));
  layout.name_step = std::max(1, (14 + layout.cell - 1) / layout.cell);
  layout.shows_values = layout.cell >= 24;
  return layout;
}

std::string Cell(const HeatMap& map, const Layout& layout, size_t row, size_t column) {
  const auto& value = map.values[row][column];
  const int x = layout.x(column);
  const int y = layout.y(row);
  const std::string told = value ? fmt::format("{:.3f}", *value) : "nothing to compare";
  std::string svg = fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"><title>{}, {}: {}</title>"
      "</rect>\n",
      x, y, layout.cell, layout.cell, value ? HexOf(ColorOf(*value)) : "url(#nothing)",
      EscapeHtml(map.row_names[row]), EscapeHtml(map.column_names[column]), told);
  if (layout.shows_values && value) {
    svg += fmt::format(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" style=\"fill:{}\">{:.2f}</text>\n",
        x + layout.cell / 2, y + layout.cell / 2 + 4, *value > 0.55 ? "#ffffff" : "#1b1f24",
        *value);
  }
  return svg;
}

std::string Names(const HeatMap& map, const Layout& layout) {
  std::string svg;
  const auto step = static_cast<size_t>(layout.name_step);
  for (size_t row = 0; row < map.row_names.size(); row += step) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", layout.left - 5,
                       layout.y(row) + layout.cell / 2 + 4, EscapeHtml(map.row_names[row]));
  }
  for (size_t column = 0; column < map.column_names.size(); column += step) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       layout.x(column) + layout.cell / 2, layout.top - 5,
                       EscapeHtml(map.column_names[column]));
  }
  svg +=
      fmt::format("<text x=\"{}\" y=\"12\">{}</text>\n", layout.left, EscapeHtml(map.column_axis));
  const int middle = layout.top + layout.cell * static_cast<int>(map.row_names.size()) / 2;
  svg += fmt::format(
      "<text x=\"12\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 12 "
      "{0})\">{1}</text>\n",
      middle, EscapeHtml(map.row_axis));
  return svg;
}

std::string Scale(const Layout& layout, int top) {
  std::string svg;
  constexpr int kSteps = 20;
  for (int step = 0; step < kSteps; ++step) {
    svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"6\" height=\"9\" fill=\"{}\"/>\n",
                       layout.left + 6 * step, top + 10, HexOf(ColorOf((step + 0.5) / kSteps)));
  }
  return svg + fmt::format(
                   "<text x=\"{0}\" y=\"{2}\">0</text>\n"
                   "<text x=\"{1}\" y=\"{2}\" text-anchor=\"end\">1</text>\n",
                   layout.left, layout.left + 6 * kSteps, top + 31);
}

}  // namespace

std::string DrawHeatMap(const HeatMap& map) {
  assert(map.values.size() == map.row_names.size());
  const Layout layout = LayOut(map);
  const int bottom = layout.y(map.row_names.size());
  const int width = std::max(layout.x(map.column_names.size()), layout.left + 130) + 10;
  std::string svg = fmt::format(
      "<figure><figcaption>{}</figcaption>\n"
      "<svg role=\"img\" aria-label=\"{}\" width=\"{}\" height=\"{}\">\n"
      "<defs><pattern id=\"nothing\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
      "<path d=\"M0 6L6 0\" stroke=\"#9aa4ae\"/></pattern></defs>\n",
      EscapeHtml(map.title), EscapeHtml(map.title), width, bottom + layout.scale_height + 2);
  for (size_t row = 0; row < map.row_names.size(); ++row) {
    assert(map.values[row].size() == map.column_names.size());
    for (size_t column = 0; column < map.column_names.size(); ++column) {
      svg += Cell(map, layout, row, column);
    }
  }
  for (const auto& [row, column] : map.framed) {
    svg += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#d95f02\" "
        "stroke-width=\"2\"/>\n",
        layout.x(column) + 1, layout.y(row) + 1, layout.cell - 2, layout.cell - 2);
  }
  svg += Names(map, layout) + Scale(layout, bottom);
  return svg + "</svg></figure>\n";
}

}  // namespace tensorguard::internal
