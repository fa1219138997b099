#include "drawing/geometry.h"

namespace tensorguard::internal {
namespace {

// Positive if `point` lies on one side of the line through the segment, negative on the other.
double SideOf(const Segment& line, Point point) {
  return (line.to.x - line.from.x) * (point.y - line.from.y) -
         (line.to.y - line.from.y) * (point.x - line.from.x);
}

// Shortens [begin, end], the part of a segment still inside, to where from + t * step is between
// low and high.
bool ClipTo(double from, double step, double low, double high, double& begin, double& end) {
  if (step == 0) return from > low && from < high;
  const double at_low = (low - from) / step;
  const double at_high = (high - from) / step;
  begin = std::max(begin, std::min(at_low, at_high));
  end = std::min(end, std::max(at_low, at_high));
  return begin < end;
}

}  // namespace

bool Cross(const Segment& a, const Segment& b) {
  return SideOf(a, b.from) * SideOf(a, b.to) < 0 && SideOf(b, a.from) * SideOf(b, a.to) < 0;
}

bool Cuts(const Segment& segment, const Box& box) {
  double begin = 0;
  double end = 1;
  return ClipTo(segment.from.x, segment.to.x - segment.from.x, box.left, box.right(), begin, end) &&
         ClipTo(segment.from.y, segment.to.y - segment.from.y, box.top, box.bottom(), begin, end);
}

}  // namespace tensorguard::internal
