#include "independence/combined_parts.h"

#include <algorithm>
#include <cmath>

#include "independence/independence_finding.h"

namespace tensorguard::internal {

DeepTestPart NewPart(std::string_view name) {
  DeepTestPart part{.name = std::string(name), .kind = PartKind::kOtherBasis};
  if (name == kSamePositions) part.kind = PartKind::kOrder;
  const bool as_stands = name == kMatchedCoordinates || name == kHeadsInCoordinates;
  if (as_stands) part.kind = PartKind::kSameBasis;
  part.of_heads = name == kHeadsInCoordinates || name == kHeadsByTokens || name == kHeadsByUnits;
  return part;
}

double ShareOfError(const DeepTestPart& part) {
  return part.kind == PartKind::kOrder ? kShareOfSamePositions : kShareOfEachMatched;
}

bool OrderIsConfirmed(const std::vector<DeepTestPart>& parts) {
  return std::any_of(parts.begin(), parts.end(), [](const DeepTestPart& part) {
    if (part.kind == PartKind::kOrder) return part.order && NoOrderExplains(*part.order);
    return part.kind == PartKind::kSameBasis && part.log10_p &&
           *part.log10_p <= kCommonOriginLog10P;
  });
}

std::optional<double> CombinedLog10P(const std::vector<DeepTestPart>& parts) {
  const bool confirmed = OrderIsConfirmed(parts);
  std::optional<double> combined;
  for (const DeepTestPart& part : parts) {
    if (!part.log10_p) continue;
    double weighted = std::min(0.0, *part.log10_p - std::log10(ShareOfError(part)));
    if (part.kind == PartKind::kOrder && !confirmed)
      weighted = std::max(weighted, kOrderAloneLog10P);
    combined = std::min(combined.value_or(0.0), weighted);
  }
  return combined;
}

}  // namespace tensorguard::internal
