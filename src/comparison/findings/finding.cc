#include "comparison/findings/finding.h"

namespace tensorguard::internal {

std::string_view FindingKindName(FindingKind kind) {
  switch (kind) {
    case FindingKind::kCannotCompare:
      return "cannot_compare";
    case FindingKind::kEqualWeights:
      return "equal_weights";
    case FindingKind::kChange:
      return "change";
    case FindingKind::kEdit:
      return "edit";
    case FindingKind::kScaled:
      return "scaled";
    case FindingKind::kShifted:
      return "shifted";
    case FindingKind::kVectors:
      return "vectors";
    case FindingKind::kRounding:
      return "rounding";
    case FindingKind::kLowRank:
      return "low_rank";
    case FindingKind::kDirection:
      return "direction";
    case FindingKind::kQuantised:
      return "quantised";
    case FindingKind::kNoise:
      return "noise";
    case FindingKind::kZeros:
      return "zeros";
    case FindingKind::kWidth:
      return "width";
    case FindingKind::kLayers:
      return "layers";
    case FindingKind::kVocabulary:
      return "vocabulary";
    case FindingKind::kExperts:
      return "experts";
    case FindingKind::kBasis:
      return "basis";
    case FindingKind::kPartsCopied:
      break;
  }
  return "parts_copied";
}

}  // namespace tensorguard::internal
