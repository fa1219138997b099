// How a series of points looks: colour and shape, so that neither colour alone tells them apart.
#ifndef TENSORGUARD_DRAWING_SERIES_STYLE_H_
#define TENSORGUARD_DRAWING_SERIES_STYLE_H_

#include "drawing/canvas.h"

namespace tensorguard::internal {

enum class MarkerShape {
  kCircle,
  kSquare,
  kTriangle,
  kDiamond,
  kDownTriangle,
  kPentagon,
  kCross,
  kHourglass,
};

struct SeriesStyle {
  Color color;
  MarkerShape shape = MarkerShape::kCircle;
};

// Eight colours and eight shapes: the first 8 series differ in both, the first 64 in one of them.
SeriesStyle StyleOfSeries(size_t series);

void DrawMarker(Canvas& canvas, Point center, double radius, const SeriesStyle& style);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_SERIES_STYLE_H_
