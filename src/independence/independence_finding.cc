#include "independence/independence_finding.h"

#include <algorithm>
#include <cmath>

#include "independence/combined_parts.h"

namespace tensorguard::internal {
namespace {

bool Significant(const DeepTestPart& part) {
  return part.log10_p && *part.log10_p - std::log10(ShareOfError(part)) <= kCommonOriginLog10P;
}

// Over all pairs of layers, each by the number of its units.
double MeanOverUnits(const DeepTestPart& part, double DeepTestLayer::*value) {
  double sum = 0.0;
  double units = 0.0;
  for (const DeepTestLayer& layer : part.layers) {
    sum += layer.*value * static_cast<double>(layer.units);
    units += static_cast<double>(layer.units);
  }
  return units > 0.0 ? sum / units : 0.0;
}

void CountLayers(const DeepTestPart& part, double DeepTestLayer::*value, TestFinding* finding) {
  finding->compared_layers = part.layers.size();
  finding->strong_layers = 0;
  finding->silent_layers = 0;
  finding->strong_in_a.clear();
  finding->strong_in_b.clear();
  for (const DeepTestLayer& layer : part.layers) {
    if (layer.*value >= kStrongLayer) {
      ++finding->strong_layers;
      finding->strong_in_a.push_back(layer.layer_a);
      finding->strong_in_b.push_back(layer.layer_b);
    }
    if (layer.*value <= kSilentLayer) ++finding->silent_layers;
  }
}

// The shares of a basis, from the part in it that found most.
struct BasisFinding {
  bool matched = false;
  double share = 0.0;
  const DeepTestPart* part = nullptr;
};

BasisFinding FindInBasis(const DeepTest& test, PartKind kind) {
  BasisFinding found;
  for (const DeepTestPart& part : test.parts) {
    if (part.kind != kind || !part.log10_p) continue;
    found.matched = found.matched || Significant(part);
    const double share = MeanOverUnits(part, &DeepTestLayer::effect);
    if (found.part == nullptr || share > found.share) {
      found.share = share;
      found.part = &part;
    }
  }
  return found;
}

bool AskedInFull(const DeepTest& test) {
  bool units = false;
  bool heads = false;
  for (const DeepTestPart& part : test.parts) {
    if (part.kind != PartKind::kOtherBasis || !part.log10_p) continue;
    (part.of_heads ? heads : units) = true;
  }
  return units && heads;
}

}  // namespace

TestFinding FindingOf(const DeepTest& test) {
  TestFinding finding{.asked = test.log10_p.has_value(),
                      .asked_in_full = AskedInFull(test),
                      .same_shape = test.same_shape};
  const BasisFinding same = FindInBasis(test, PartKind::kSameBasis);
  const BasisFinding other = FindInBasis(test, PartKind::kOtherBasis);
  finding.matched_same_basis = same.matched;
  finding.share_same_basis = same.share;
  finding.matched_other_basis = other.matched;
  finding.share_other_basis = other.share;
  if (other.matched) CountLayers(*other.part, &DeepTestLayer::effect, &finding);
  if (same.matched) CountLayers(*same.part, &DeepTestLayer::effect, &finding);
  for (const DeepTestPart& part : test.parts) {
    if (part.kind != PartKind::kOrder) continue;
    finding.ordered = Significant(part);
    finding.contrast = MeanOverUnits(part, &DeepTestLayer::contrast);
    finding.same_positions = finding.ordered && OrderIsConfirmed(test.parts);
    if (finding.same_positions) CountLayers(part, &DeepTestLayer::contrast, &finding);
  }
  return finding;
}

}  // namespace tensorguard::internal
