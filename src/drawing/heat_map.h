// A table of numbers as colours, for a page.
#ifndef TENSORGUARD_DRAWING_HEAT_MAP_H_
#define TENSORGUARD_DRAWING_HEAT_MAP_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tensorguard::internal {

struct HeatMap {
  std::string title = {};     // raw text, as all others here
  std::string row_axis = {};  // what rows are: "layer of alder"
  std::string column_axis = {};
  std::vector<std::string> row_names = {};
  std::vector<std::string> column_names = {};
  // [row][column] in [0, 1]; others are drawn as the nearest of the two. Empty: nothing to show,
  // drawn apart from 0.
  std::vector<std::vector<std::optional<double>>> values = {};
  // Cells to frame: a path of matched layers.
  std::vector<std::pair<size_t, size_t>> framed = {};
};

// An inline SVG with a scale; every cell has its value as a tooltip, and as text where there is
// room. REQUIRES: values as wide and high as the names, framed inside.
std::string DrawHeatMap(const HeatMap& map);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_HEAT_MAP_H_
