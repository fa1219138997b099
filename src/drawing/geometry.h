// Points, boxes and segments of a drawing; y grows downward.
#ifndef TENSORGUARD_DRAWING_GEOMETRY_H_
#define TENSORGUARD_DRAWING_GEOMETRY_H_

#include <algorithm>
#include <cmath>

namespace tensorguard::internal {

struct Point {
  double x = 0;
  double y = 0;
};

struct Box {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;

  double right() const { return left + width; }
  double bottom() const { return top + height; }
  Point center() const { return {left + width / 2, top + height / 2}; }
};

struct Segment {
  Point from;
  Point to;
};

inline Box Grown(const Box& box, double by) {
  return {box.left - by, box.top - by, box.width + 2 * by, box.height + 2 * by};
}

inline bool Overlap(const Box& a, const Box& b) {
  return a.left < b.right() && b.left < a.right() && a.top < b.bottom() && b.top < a.bottom();
}

inline bool Contains(const Box& outer, const Box& inner) {
  return inner.left >= outer.left && inner.right() <= outer.right() && inner.top >= outer.top &&
         inner.bottom() <= outer.bottom();
}

inline double DistanceBetween(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

inline Point NearestPointOf(const Box& box, Point to) {
  return {std::clamp(to.x, box.left, box.right()), std::clamp(to.y, box.top, box.bottom())};
}

// True if the segments cross in a point inside both.
bool Cross(const Segment& a, const Segment& b);

// True if a part of the segment lies inside the box.
bool Cuts(const Segment& segment, const Box& box);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_GEOMETRY_H_
