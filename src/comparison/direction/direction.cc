#include "comparison/direction/direction.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tensorguard::internal {
namespace {

// Of signs that are each seen between siblings, too, however many they are.
constexpr double kMostUntold = 0.94;

}  // namespace

bool IsStep(DirectionSignKind kind) {
  return kind != DirectionSignKind::kGrowth && kind != DirectionSignKind::kEvenChange;
}

std::string_view DirectionSignName(DirectionSignKind kind) {
  switch (kind) {
    case DirectionSignKind::kStoredNarrower:
      return "stored_narrower";
    case DirectionSignKind::kOnGrid:
      return "on_grid";
    case DirectionSignKind::kZeros:
      return "zeros";
    case DirectionSignKind::kRemoved:
      return "removed";
    case DirectionSignKind::kPadded:
      return "padded";
    case DirectionSignKind::kLayersRepeated:
      return "layers_repeated";
    case DirectionSignKind::kLayersDropped:
      return "layers_dropped";
    case DirectionSignKind::kRowsTrimmed:
      return "rows_trimmed";
    case DirectionSignKind::kRowsAdded:
      return "rows_added";
    case DirectionSignKind::kExpertsOfDense:
      return "experts_of_dense";
    case DirectionSignKind::kGainsFolded:
      return "gains_folded";
    case DirectionSignKind::kLowRank:
      return "low_rank";
    case DirectionSignKind::kNoise:
      return "noise";
    case DirectionSignKind::kGrowth:
      return "growth";
    case DirectionSignKind::kEvenChange:
      break;
  }
  return "even_change";
}

double OddsOfLaterB(const Direction& direction) {
  double odds = 0;
  for (const DirectionSign& sign : direction.signs) {
    odds += sign.later == Side::kB ? sign.weight : -sign.weight;
  }
  return odds;
}

Direction DirectionOf(std::vector<DirectionSign> signs) {
  std::stable_sort(signs.begin(), signs.end(), [](const DirectionSign& x, const DirectionSign& y) {
    return x.weight > y.weight;
  });
  Direction direction{.signs = std::move(signs)};
  const double odds = OddsOfLaterB(direction);
  if (odds == 0) return direction;
  const Side later = odds > 0 ? Side::kB : Side::kA;
  direction.leaning = later;
  direction.certainty = 1 / (1 + std::exp(-std::abs(odds)));
  const bool shown = std::any_of(
      direction.signs.begin(), direction.signs.end(),
      [&](const DirectionSign& sign) { return sign.later == later && sign.weight >= kShowsAlone; });
  const bool contradicted = std::any_of(
      direction.signs.begin(), direction.signs.end(),
      [&](const DirectionSign& sign) { return sign.later != later && IsStep(sign.kind); });
  if (!shown || contradicted) {
    direction.certainty = std::min(direction.certainty, kMostUntold);
  } else if (direction.certainty >= kDirectionTold) {
    direction.later = later;
  }
  return direction;
}

std::string_view DirectionName(const Direction& direction) {
  if (!direction.later) return "undetermined";
  return *direction.later == Side::kB ? "a_to_b" : "b_to_a";
}

}  // namespace tensorguard::internal
