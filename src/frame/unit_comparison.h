// Which units of the feed-forwards of one model are those of another, in whatever basis either is
// written: training moves a unit, but does not exchange it for another, and who learns what a model
// computes does not learn which units it has.
#ifndef TENSORGUARD_FRAME_UNIT_COMPARISON_H_
#define TENSORGUARD_FRAME_UNIT_COMPARISON_H_

#include <armadillo>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "frame/frame_comparison.h"
#include "frame/layer_matching.h"

namespace tensorguard::internal {

// With fewer units a layer says nothing.
inline constexpr size_t kFewestUnits = 16;

// How much of the units of one layer is the other's: the share that are each other's nearest by
// what opens them (the gate, or up without one), times the mean cosine of what they were not chosen
// by (that of up and of down multiplied; or of down). Near 0 for units that have nothing in common,
// 1 for the same. `map` takes b's axes to a's. Empty where one has a gate and the other has none,
// or one has too few units.
std::optional<double> UnitAgreement(const FrameUnits& a, const FrameUnits& b, const arma::mat& map);

struct ComparedModel {
  const FrameForms& forms;
  const HalfFeatures& features;  // FeaturesOf the forms
};

// Seeks the map under which most units agree: from maps fitted on the forms of all matched layers
// and of single ones, and one fitted on the tokens; all refined on the units that agree. Empty
// where no two layers have units to compare.
std::optional<UnitComparison> CompareUnits(const ComparedModel& a, const ComparedModel& b,
                                           std::span<const LayerMatching> matchings,
                                           const CommonTokens& tokens);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FRAME_UNIT_COMPARISON_H_
