#include "drawing/series_style.h"

#include <array>
#include <numbers>
#include <vector>

namespace tensorguard::internal {
namespace {

// Okabe and Ito's palette for all kinds of colour vision, its black lightened to be told from the
// edge.
constexpr std::array<Color, 8> kColors = {{
    {0.000, 0.447, 0.698},  // blue
    {0.902, 0.624, 0.000},  // orange
    {0.000, 0.620, 0.451},  // bluish green
    {0.800, 0.475, 0.655},  // reddish purple
    {0.835, 0.369, 0.000},  // vermilion
    {0.337, 0.706, 0.914},  // sky blue
    {0.941, 0.894, 0.259},  // yellow
    {0.400, 0.400, 0.400},  // grey
}};
constexpr size_t kShapes = 8;

std::vector<Point> Regular(Point center, double radius, int corners, double first_degrees) {
  std::vector<Point> points;
  for (int i = 0; i < corners; ++i) {
    const double angle = (first_degrees + 360.0 * i / corners) * std::numbers::pi / 180;
    points.push_back({center.x + radius * std::cos(angle), center.y + radius * std::sin(angle)});
  }
  return points;
}

std::vector<Point> Cross(Point center, double radius) {
  const double arm = radius * 0.36;
  const std::array<Point, 12> outline = {{{-arm, -radius},
                                          {arm, -radius},
                                          {arm, -arm},
                                          {radius, -arm},
                                          {radius, arm},
                                          {arm, arm},
                                          {arm, radius},
                                          {-arm, radius},
                                          {-arm, arm},
                                          {-radius, arm},
                                          {-radius, -arm},
                                          {-arm, -arm}}};
  std::vector<Point> points;
  for (const Point each : outline) points.push_back({center.x + each.x, center.y + each.y});
  return points;
}

std::vector<Point> CornersOf(MarkerShape shape, Point center, double radius) {
  switch (shape) {
    case MarkerShape::kSquare:
      return Regular(center, radius * 1.2, 4, 45);
    case MarkerShape::kTriangle:
      return Regular(center, radius * 1.25, 3, -90);
    case MarkerShape::kDiamond:
      return Regular(center, radius * 1.3, 4, 0);
    case MarkerShape::kDownTriangle:
      return Regular(center, radius * 1.25, 3, 90);
    case MarkerShape::kPentagon:
      return Regular(center, radius * 1.15, 5, -90);
    case MarkerShape::kCross:
      return Cross(center, radius * 1.1);
    case MarkerShape::kHourglass:
      return {{center.x - radius, center.y - radius},
              {center.x + radius, center.y - radius},
              {center.x - radius, center.y + radius},
              {center.x + radius, center.y + radius}};
    case MarkerShape::kCircle:
      break;
  }
  return {};
}

}  // namespace

SeriesStyle StyleOfSeries(size_t series) {
  // From the ninth on, the shapes are shifted by one against the colours, and so on.
  const size_t shape = (series + series / kColors.size()) % kShapes;
  return {kColors[series % kColors.size()], static_cast<MarkerShape>(shape)};
}

void DrawMarker(Canvas& canvas, Point center, double radius, const SeriesStyle& style) {
  if (style.shape == MarkerShape::kCircle) {
    canvas.Disc(center, radius, style.color);
  } else {
    canvas.Polygon(CornersOf(style.shape, center, radius), style.color);
  }
}

}  // namespace tensorguard::internal
