#include "frame/frame_comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/parallel.h"
#include "frame/held_out_readings.h"
#include "frame/layer_features.h"
#include "frame/layer_matching.h"
#include "frame/unit_comparison.h"

namespace tensorguard::internal {
namespace {

// Fewer axes say too little.
constexpr size_t kLeastAxes = 4;
// docs/frame.md#p-value.
constexpr double kInflation = 3;
constexpr double kCommonDeviation = 0.05;
constexpr double kLeastDeviation = 0.05;
constexpr size_t kEnoughForDeviation = 6;
constexpr double kDeviationOfFew = 0.25;

double MeanOf(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double DeviationOf(const std::vector<double>& values, double mean) {
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  return std::sqrt(square / static_cast<double>(values.size()));
}

// That of a normal distribution whose deviation is three times that of the readings off the
// matching, and has a share that no number of layers brings down; times the matchings tried.
double PValue(const FrameComparison& comparison, size_t readings, size_t off, size_t tried) {
  const double single = off < kEnoughForDeviation
                            ? kDeviationOfFew
                            : std::max(kLeastDeviation, comparison.null_deviation);
  const double deviation =
      std::hypot(kInflation * single / std::sqrt(static_cast<double>(readings)), kCommonDeviation);
  const double excess = comparison.score - std::max(0.0, comparison.null_mean);
  const double tail = 0.5 * std::erfc(excess / deviation / std::sqrt(2.0));
  return std::clamp(tail * static_cast<double>(tried), 1e-300, 1.0);
}

FrameComparison Summarise(Readings readings, size_t tried) {
  FrameComparison comparison;
  comparison.score = MeanOf(readings.on);
  if (!readings.off.empty()) {
    comparison.null_mean = MeanOf(readings.off);
    comparison.null_deviation = DeviationOf(readings.off, comparison.null_mean);
  }
  comparison.p_value = PValue(comparison, readings.on.size(), readings.off.size(), tried);
  comparison.attention = std::move(readings.matches[0]);
  comparison.feed_forward = std::move(readings.matches[1]);
  return comparison;
}

std::optional<FrameComparison> Compare(const FrameForms& a, const FrameForms& b,
                                       const CommonTokens& tokens) {
  const size_t axes = std::min(a.axes, b.axes);
  if (axes < kLeastAxes) return {};
  const HalfFeatures features_a = FeaturesOf(a, axes);
  const HalfFeatures features_b = FeaturesOf(b, axes);
  const auto matchings = CandidateMatchings(features_a, features_b);
  std::optional<Readings> best;
  for (const LayerMatching& matching : matchings) {
    Readings readings = ReadHeldOut(features_a, features_b, matching, axes);
    if (readings.on.empty()) continue;
    if (!best || MeanOf(readings.on) > MeanOf(best->on)) best = std::move(readings);
  }
  if (!best) return {};
  FrameComparison comparison = Summarise(*std::move(best), matchings.size());
  comparison.units = CompareUnits({a, features_a}, {b, features_b}, matchings, tokens);
  return comparison;
}

// An order of models by their numbers, so that both orders of a pair are computed as one.
bool ComesBefore(const FrameForms& a, const FrameForms& b) {
  if (a.axes != b.axes) return a.axes < b.axes;
  if (a.layers.size() != b.layers.size()) return a.layers.size() < b.layers.size();
  for (size_t layer = 0; layer < a.layers.size(); ++layer) {
    for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
      const auto left = a.layers[layer].forms[kind].values();
      const auto right = b.layers[layer].forms[kind].values();
      if (std::ranges::equal(left, right)) continue;
      return std::ranges::lexicographical_compare(left, right);
    }
  }
  return false;
}

void Exchange(std::vector<FrameMatch>& matches) {
  for (FrameMatch& match : matches) std::swap(match.layer_a, match.layer_b);
  std::ranges::sort(matches, {}, &FrameMatch::layer_a);
}

void Exchange(UnitComparison& units) {
  std::swap(units.of_a, units.of_b);
  for (auto* matches : {&units.of_a, &units.of_b, &units.attention}) Exchange(*matches);
}

}  // namespace

std::optional<FrameComparison> CompareFrames(const FrameForms& a, const FrameForms& b,
                                             const CommonTokens& tokens) {
  UseOneLibraryThread();
  if (!ComesBefore(b, a)) return Compare(a, b, tokens);
  auto comparison = Compare(b, a, {.in_a = tokens.in_b, .in_b = tokens.in_a});
  if (comparison) {
    Exchange(comparison->attention);
    Exchange(comparison->feed_forward);
    if (comparison->units) Exchange(*comparison->units);
  }
  return comparison;
}

}  // namespace tensorguard::internal
