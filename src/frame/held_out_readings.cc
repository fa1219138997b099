#include "frame/held_out_readings.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "frame/frame_map.h"

namespace tensorguard::internal {
namespace {

struct HalfMatch {
  size_t half = 0;
  const LayerFeatures* a = nullptr;
  const LayerFeatures* b = nullptr;
};

double Dot(const FormFeature& a, const FormFeature& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0f);
}

// Mean cosine over the kinds that both have, b already mapped; empty where there is none.
std::optional<double> Cosine(size_t half, const LayerFeatures& a, const LayerFeatures& b) {
  double sum = 0;
  int kinds = 0;
  for (const size_t kind : kKindsOfHalves[half]) {
    if (a.forms[kind].empty() || b.forms[kind].empty()) continue;
    sum += Dot(a.forms[kind], b.forms[kind]);
    ++kinds;
  }
  if (kinds == 0) return {};
  return sum / kinds;
}

void Read(const std::vector<HalfMatch>& fitted, const std::vector<HalfMatch>& read, size_t axes,
          Readings& readings) {
  std::vector<FormPair> pairs;
  for (const HalfMatch& match : fitted) {
    for (const size_t kind : kKindsOfHalves[match.half]) {
      if (match.a->forms[kind].empty() || match.b->forms[kind].empty()) continue;
      pairs.push_back({&match.a->forms[kind], &match.b->forms[kind]});
    }
  }
  if (pairs.empty()) return;
  const arma::mat map = FitFrameMap(pairs, axes);
  if (map.is_empty()) return;
  std::vector<LayerFeatures> mapped;
  for (const HalfMatch& match : read) {
    mapped.push_back({.layer = match.b->layer});
    for (const size_t kind : kKindsOfHalves[match.half]) {
      const FormFeature& form = match.b->forms[kind];
      if (!form.empty()) mapped.back().forms[kind] = Mapped(map, form);
    }
  }
  for (size_t i = 0; i < read.size(); ++i) {
    for (size_t j = 0; j < read.size(); ++j) {
      if (read[i].half != read[j].half) continue;
      const auto cosine = Cosine(read[i].half, *read[i].a, mapped[j]);
      if (!cosine) continue;
      (i == j ? readings.on : readings.off).push_back(*cosine);
      if (i == j) {
        readings.matches[read[i].half].push_back({read[i].a->layer, read[i].b->layer, *cosine});
      }
    }
  }
}

}  // namespace

Readings ReadHeldOut(const HalfFeatures& a, const HalfFeatures& b, const LayerMatching& matching,
                     size_t axes) {
  const bool single =
      std::ranges::all_of(matching, [](const auto& pairs) { return pairs.size() < 2; });
  std::array<std::vector<HalfMatch>, 2> parts;
  for (size_t half = 0; half < kLayerHalves; ++half) {
    for (size_t place = 0; place < matching[half].size(); ++place) {
      const auto [i, j] = matching[half][place];
      parts[single ? half : place % 2].push_back({half, &a[half][i], &b[half][j]});
    }
  }
  Readings readings;
  Read(parts[0], parts[1], axes, readings);
  Read(parts[1], parts[0], axes, readings);
  for (auto& matches : readings.matches) {
    std::ranges::sort(matches, {}, &FrameMatch::layer_a);
  }
  return readings;
}

}  // namespace tensorguard::internal
