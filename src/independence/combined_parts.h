// The parts of the test taken together: their names, kinds and shares, and one p-value of all.
#ifndef TENSORGUARD_INDEPENDENCE_COMBINED_PARTS_H_
#define TENSORGUARD_INDEPENDENCE_COMBINED_PARTS_H_

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "independence/independence.h"

namespace tensorguard::internal {

inline constexpr std::string_view kSamePositions = "same positions";
inline constexpr std::string_view kMatchedCoordinates = "matched units, same coordinates";
inline constexpr std::string_view kMatchedByTokens = "matched units, map from shared tokens";
inline constexpr std::string_view kMatchedByUnits = "matched units, map from one layer's units";
inline constexpr std::string_view kHeadsInCoordinates = "matched heads, same coordinates";
inline constexpr std::string_view kHeadsByTokens = "matched heads, map from shared tokens";
inline constexpr std::string_view kHeadsByUnits = "matched heads, map from one layer's units";
inline constexpr std::array kPartNames = {kSamePositions,  kMatchedCoordinates, kMatchedByTokens,
                                          kMatchedByUnits, kHeadsInCoordinates, kHeadsByTokens,
                                          kHeadsByUnits};

// An empty part of this name, with what it rests on.
DeepTestPart NewPart(std::string_view name);

// The share of the error that the exact part has; the matched parts, which are conservative, share
// the rest. The combined p-value of an independent pair is then the exact one over 0.99.
inline constexpr double kShareOfSamePositions = 0.99;
inline constexpr double kShareOfEachMatched =
    (1.0 - kShareOfSamePositions) / (kPartNames.size() - 1);
double ShareOfError(const DeepTestPart& part);

// Whether what the order of units shows is confirmed: by likeness that no order makes, or by units
// that were matched in the same basis without regard to it.
bool OrderIsConfirmed(const std::vector<DeepTestPart>& parts);

// By order alone, unconfirmed, the combined p-value falls no lower.
inline constexpr double kOrderAloneLog10P = -3.0;

// Bonferroni's inequality with unequal shares: P(min p_i / w_i <= x) <= sum w_i x = x. Empty where
// no part was asked.
std::optional<double> CombinedLog10P(const std::vector<DeepTestPart>& parts);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_COMBINED_PARTS_H_
