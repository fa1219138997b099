// How much each layer writes to the residual stream: layers that were put in for show write next to
// nothing.
#ifndef TENSORGUARD_INDEPENDENCE_WRITTEN_SHARES_H_
#define TENSORGUARD_INDEPENDENCE_WRITTEN_SHARES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Tokens that are enough to tell a ten-thousandth from a tenth, evenly spaced over the vocabulary.
inline constexpr size_t kSharesTokens = 64;
std::vector<uint32_t> TokensForShares(uint64_t vocabulary_size);

// For each layer the median of what it adds over the median of what the stream holds before it, of
// magnitudes over all coordinates and tokens; each token is a sequence of its own. Medians, because
// a few coordinates of trained models are a thousand times the others. 0 for a layer that adds
// nothing. Errors: those of ApplyWeight. REQUIRES: ids below the vocabulary's size.
// Memory: tokens times the hidden width, a few times.
Result<std::vector<double>> WrittenShares(const Network& network, std::span<const uint32_t> tokens);

// Layers that write on average less than this part of what the others write do nothing for the
// function. Of the layers of trained models the least writes more than a tenth of the mean.
inline constexpr double kInertShare = 0.03;

// Whether the layers `copied` write next to nothing, and others do. False where there are no
// others.
bool CopiesAreInert(const std::vector<double>& shares, const std::vector<size_t>& copied);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_WRITTEN_SHARES_H_
