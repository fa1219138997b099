// The few of very many known models that are worth a comparison in full.
#ifndef TENSORGUARD_FAMILIES_SHORTLIST_H_
#define TENSORGUARD_FAMILIES_SHORTLIST_H_

#include <cstddef>
#include <span>
#include <vector>

#include "fingerprint/screening.h"

namespace tensorguard::internal {

// Up to so many known models are all compared in full.
inline constexpr size_t kFewKnownModels = 256;
// Of more, so many: docs/decisions/008-screening.md has how much room that leaves.
inline constexpr size_t kShortlist = 32;
// Models whose score is no lower than the last of these by more than its error are kept too, up to
// so many in all.
inline constexpr double kNearTie = 0.02;
inline constexpr size_t kLongestShortlist = 48;

// Indices in `known`, ascending: all of few, else those with the highest ScreeningScore; of equal
// ones the first. Does not depend on the number of threads (0: one per processor).
std::vector<size_t> ShortlistOf(const ScreeningSignature& unknown,
                                std::span<const ScreeningSignature> known, unsigned threads = 0);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_SHORTLIST_H_
