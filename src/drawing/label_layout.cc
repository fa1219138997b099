#include "drawing/label_layout.h"

#include <array>
#include <limits>
#include <numbers>
#include <numeric>

namespace tensorguard::internal {
namespace {

constexpr double kPadding = 1.5;      // around a label
constexpr double kNeedsNoLeader = 7;  // between marker and label
constexpr double kCrowdRadius = 70;
constexpr int kDirections = 32;
constexpr int kMostRounds = 8;
constexpr std::array<double, 16> kReaches = {2,  6,  11,  17,  24,  32,  42,  54,
                                             68, 84, 103, 126, 154, 190, 235, 290};

// What a place costs on top of its distance, in points of distance.
constexpr double kLeaderOverLabel = 80;
constexpr double kLeaderOverLeader = 45;
constexpr double kLeaderOverMarker = 14;
constexpr double kOffCenter = 0.5;     // per point above or below the height of the point
constexpr double kBesideIsBetter = 3;  // a name reads best to the right or left of its point

Box MarkerBox(const LabelRequest& request) {
  return Grown({request.anchor.x, request.anchor.y, 0, 0}, request.anchor_radius);
}

Segment FullLeader(const LabelRequest& request, const Box& label) {
  return {request.anchor, NearestPointOf(label, request.anchor)};
}

// The box at a distance of `reach` from the marker in a direction.
Box Place(const LabelRequest& request, double reach, int direction) {
  const double angle = 2 * std::numbers::pi * direction / kDirections;
  const double x = std::cos(angle);
  const double y = std::sin(angle);
  const double away = request.anchor_radius + kPadding + reach;
  const Point center = {request.anchor.x + x * (away + request.width / 2),
                        request.anchor.y + y * (away + request.height / 2)};
  return {center.x - request.width / 2, center.y - request.height / 2, request.width,
          request.height};
}

class Layout {
 public:
  Layout(std::span<const LabelRequest> requests, const Box& area)
      : requests_(requests), area_(area), boxes_(requests.size()) {}

  // Moves label `i` to its best place; true if it moved.
  bool Improve(size_t i) {
    const std::optional<Box> before = boxes_[i];
    boxes_[i].reset();
    double best_cost = std::numeric_limits<double>::infinity();
    std::optional<Box> best;
    if (before) {
      best = before;
      best_cost = CostOf(i, *before, best_cost);
    }
    bool moved = false;
    for (const double reach : kReaches) {
      if (reach >= best_cost) break;
      for (int direction = 0; direction < kDirections; ++direction) {
        const Box box = Place(requests_[i], reach, direction);
        if (!IsFree(box)) continue;
        const double cost = CostOf(i, box, best_cost);
        if (cost >= best_cost - 1e-6) continue;
        best_cost = cost;
        best = box;
        moved = true;
      }
    }
    boxes_[i] = best;
    return moved;
  }

  std::vector<std::optional<Box>> TakeBoxes() { return std::move(boxes_); }

 private:
  bool IsFree(const Box& box) const {
    if (!Contains(area_, box)) return false;
    const Box padded = Grown(box, kPadding);
    for (const LabelRequest& request : requests_) {
      if (Overlap(padded, MarkerBox(request))) return false;
    }
    for (const auto& other : boxes_) {
      if (other && Overlap(padded, *other)) return false;
    }
    return true;
  }

  // Stops counting at `limit`.
  double CostOf(size_t i, const Box& box, double limit) const {
    const Segment leader = FullLeader(requests_[i], box);
    double cost = DistanceBetween(leader.from, leader.to) - requests_[i].anchor_radius;
    const bool beside = leader.to.y > box.top && leader.to.y < box.bottom();
    cost += beside ? kOffCenter * std::abs(box.center().y - leader.from.y)
                   : kBesideIsBetter + kOffCenter * box.height / 2;
    for (size_t j = 0; j < requests_.size() && cost < limit; ++j) {
      if (j == i) continue;
      if (Cuts(leader, MarkerBox(requests_[j]))) cost += kLeaderOverMarker;
      if (!boxes_[j]) continue;
      const Segment other = FullLeader(requests_[j], *boxes_[j]);
      if (Cuts(leader, *boxes_[j])) cost += kLeaderOverLabel;
      if (Cuts(other, box)) cost += kLeaderOverLabel;
      if (Cross(leader, other)) cost += kLeaderOverLeader;
    }
    return cost;
  }

  std::span<const LabelRequest> requests_;
  Box area_;
  std::vector<std::optional<Box>> boxes_;
};

// Requests with many neighbours first: they have the fewest free places.
std::vector<size_t> CrowdedFirst(std::span<const LabelRequest> requests) {
  std::vector<size_t> neighbours(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    for (const LabelRequest& other : requests) {
      if (DistanceBetween(requests[i].anchor, other.anchor) < kCrowdRadius) ++neighbours[i];
    }
  }
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return neighbours[a] > neighbours[b]; });
  return order;
}

}  // namespace

std::vector<std::optional<Box>> LayOutLabels(std::span<const LabelRequest> requests,
                                             const Box& area) {
  const std::vector<size_t> order = CrowdedFirst(requests);
  Layout layout(requests, area);
  bool improved = true;
  for (int round = 0; round < kMostRounds && improved; ++round) {
    improved = false;
    for (const size_t i : order) improved = layout.Improve(i) || improved;
  }
  return layout.TakeBoxes();
}

std::optional<Segment> LeaderLine(const LabelRequest& request, const Box& label) {
  const Segment full = FullLeader(request, label);
  const double length = DistanceBetween(full.from, full.to);
  if (length - request.anchor_radius < kNeedsNoLeader) return {};
  const double share = request.anchor_radius / length;
  return Segment{{full.from.x + (full.to.x - full.from.x) * share,
                  full.from.y + (full.to.y - full.from.y) * share},
                 full.to};
}

}  // namespace tensorguard::internal
