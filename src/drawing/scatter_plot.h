// Models as points in a plane, coloured by family.
#ifndef TENSORGUARD_DRAWING_SCATTER_PLOT_H_
#define TENSORGUARD_DRAWING_SCATTER_PLOT_H_

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "drawing/canvas.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ScatterPoint {
  std::string name;  // any bytes; shown escaped and shortened
  double x = 0;
  double y = 0;
  size_t family = 0;       // index into family_names
  bool is_center = false;  // ringed: the model that its family is named after
};

struct ScatterPlot {
  std::string title;
  std::vector<std::string> family_names;
  std::vector<ScatterPoint> points;
  // Share of the variance along x and y, in [0, 1], where these are the first two principal
  // components; empty where only distances have a meaning.
  std::optional<std::array<double, 2>> explained = {};
  std::string center_label = "base model";  // what the ring stands for
};

// Every point gets its name beside it, centres first, up to the number that a page holds; the plot
// says how many names it leaves out. Errors: kUsage for no point, a coordinate that is not finite
// (or beyond 1e100) and a family that is not in the list; kSystem as DrawImage.
Result<std::string> DrawScatterPlot(const ScatterPlot& plot, ImageFormat format);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_SCATTER_PLOT_H_
