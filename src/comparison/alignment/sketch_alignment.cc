#include "comparison/alignment/sketch_alignment.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "comparison/thresholds.h"

namespace tensorguard::internal {
namespace {

// What all matrices of two halves say together.
struct Cell {
  double sum = 0;
  double count = 0;
  size_t equal = 0;

  double Z() const { return count == 0 ? 0 : sum / std::sqrt(count); }
  bool AllEqual() const { return count > 0 && equal == static_cast<size_t>(count); }
};

using Cells = std::map<std::pair<HalfPlace, HalfPlace>, Cell>;

void AddKind(const Fingerprint& a, const Fingerprint& b, const KindCosines& kind, Cells& cells) {
  const KindNull null = NullOfUnpaired(kind);
  for (size_t i = 0; i < kind.in_a.size(); ++i) {
    const WeightSummary& in_a = a.weights[kind.in_a[i]];
    const auto place_a = HalfPlaceOf(in_a.role);
    if (!place_a) continue;
    for (size_t j = 0; j < kind.in_b.size(); ++j) {
      const WeightSummary& in_b = b.weights[kind.in_b[j]];
      const auto place_b = HalfPlaceOf(in_b.role);
      if (!place_b) continue;
      Cell& cell = cells[{*place_a, *place_b}];
      const bool equal = in_a.digest == in_b.digest;
      cell.sum += (kind.At(i, j) - null.mean) / (kind.deviation * null.deviation);
      cell.count += 1;
      cell.equal += equal ? 1 : 0;
    }
  }
}

bool SameIndex(const HalfPlace& x, const HalfPlace& y) {
  return x.layer == y.layer && x.stack == y.stack;
}

// Whether `place` with `cell` is a better counterpart of `of` than `best`.
bool IsBetter(const HalfPlace& of, const HalfPlace& place, const Cell& cell,
              const HalfCounterpart& best) {
  if (cell.AllEqual() != best.equal) return cell.AllEqual();
  const double margin = cell.Z() - best.z;
  if (std::abs(margin) > kEquallyNearZ) return margin > 0;
  return SameIndex(of, place) && !SameIndex(of, best.place);
}

void Offer(const HalfPlace& of, const HalfPlace& place, const Cell& cell,
           std::map<HalfPlace, HalfCounterpart>& counterparts) {
  if (cell.Z() < kHalfZ) return;
  const HalfCounterpart offered = {.place = place, .z = cell.Z(), .equal = cell.AllEqual()};
  const auto [best, is_first] = counterparts.emplace(of, offered);
  if (!is_first && IsBetter(of, place, cell, best->second)) best->second = offered;
}

// Layers without a counterpart of their own go by their numbers, so that a mean over all layers
// counts them too.
void PairTheRest(const LayerMap& by_index, LayerMap& layers) {
  std::set<size_t> taken;
  for (const auto& [in_a, in_b] : layers) taken.insert(in_b);
  for (const auto& [in_a, in_b] : by_index) {
    if (!taken.contains(in_b)) layers.emplace(in_a, in_b);
  }
}

}  // namespace

SketchAlignment AlignBySketches(const Fingerprint& a, const Fingerprint& b,
                                std::span<const KindCosines> cosines) {
  Cells cells;
  for (const KindCosines& kind : cosines) AddKind(a, b, kind, cells);
  SketchAlignment alignment;
  for (const auto& [places, cell] : cells) {
    Offer(places.first, places.second, cell, alignment.a_to_b);
    Offer(places.second, places.first, cell, alignment.b_to_a);
  }
  return alignment;
}

LayerMap LayersOf(const SketchAlignment& alignment, const Fingerprint& a, const Fingerprint& b) {
  std::map<std::pair<std::string, uint32_t>, size_t> places_b;
  for (size_t i = 0; i < b.layers.size(); ++i) {
    places_b.emplace(std::pair(b.layers[i].stack, b.layers[i].index), i);
  }
  LayerMap layers;
  for (size_t i = 0; i < a.layers.size(); ++i) {
    const HalfCounterpart* best = nullptr;
    for (const Half half : {Half::kMixer, Half::kFeedForward}) {
      const auto found = alignment.a_to_b.find({a.layers[i].stack, a.layers[i].index, half});
      if (found == alignment.a_to_b.end()) continue;
      if (best == nullptr || found->second.z > best->z) best = &found->second;
    }
    if (best == nullptr) continue;
    const auto target = places_b.find({best->place.stack, best->place.layer});
    if (target != places_b.end()) layers.emplace(i, target->second);
  }
  if (!layers.empty()) PairTheRest(LayersByIndex(a, b), layers);
  return layers;
}

}  // namespace tensorguard::internal
