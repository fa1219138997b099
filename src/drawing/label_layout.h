// Places for the names of points: none covers another name or a point.
#ifndef TENSORGUARD_DRAWING_LABEL_LAYOUT_H_
#define TENSORGUARD_DRAWING_LABEL_LAYOUT_H_

#include <optional>
#include <span>
#include <vector>

#include "drawing/geometry.h"

namespace tensorguard::internal {

struct LabelRequest {
  Point anchor;              // the point to be named
  double anchor_radius = 0;  // of its marker
  double width = 0;          // of the text
  double height = 0;
};

// A box per request, in the order given; empty where no free place was found. A box lies inside
// `area`, touches no other box and no marker of a request. Each label in turn takes the place of
// least cost (distance from its point, crossings of leader lines), crowded ones first, and all are
// placed anew until none finds a better place. Deterministic.
// Time grows with the cube of the number of requests in the worst case: a hundred or two are meant.
std::vector<std::optional<Box>> LayOutLabels(std::span<const LabelRequest> requests,
                                             const Box& area);

// From the edge of a point's marker to its label; empty where the label is near enough to need
// none.
std::optional<Segment> LeaderLine(const LabelRequest& request, const Box& label);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_DRAWING_LABEL_LAYOUT_H_
