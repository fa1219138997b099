// Maps from the residual streams of two networks to one space in which their unit vectors can be
// compared, whatever basis each network uses.
#ifndef TENSORGUARD_INDEPENDENCE_STREAM_RESIDUAL_MAPS_H_
#define TENSORGUARD_INDEPENDENCE_STREAM_RESIDUAL_MAPS_H_

#include <armadillo>
#include <cstdint>
#include <optional>
#include <vector>

#include "independence/stream/shared_tokens.h"
#include "independence/units/feed_forward_units.h"
#include "network/network.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Widths above this are projected to it by random signs: the cosine of two columns then has an
// error of about 1 / sqrt(512) = 0.044, while those of a derived unit and the best wrong one lie
// several tenths apart.
inline constexpr uint64_t kSharedWidth = 512;

struct ResidualMaps {
  arma::fmat a;  // hidden of a x shared width
  arma::fmat b;  // hidden of b x shared width
};

// Coordinate i of one is coordinate i of the other, over the coordinates that both have.
ResidualMaps SameCoordinates(uint64_t hidden_a, uint64_t hidden_b, uint64_t seed);

// The orthogonal map that brings the embeddings (input and output) of shared tokens closest
// (Procrustes: the polar factor of E_a^T E_b); of different widths, the best partial one. Empty
// where there are fewer than kFewestTokens tokens or the embeddings of one model are all alike.
// Errors: those of InputRows and OutputRows.
inline constexpr size_t kFewestTokens = 16;
Result<std::optional<ResidualMaps>> MapsFromTokens(const Network& a, const Network& b,
                                                   const std::vector<TokenPair>& tokens,
                                                   uint64_t seed, unsigned threads);

// The orthogonal map that brings matched columns closest: cross = sum over matched columns of
// a b^T [hidden of a x hidden of b]. Empty if it is zero.
std::optional<ResidualMaps> MapsFromCross(const arma::fmat& cross, uint64_t seed);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_INDEPENDENCE_STREAM_RESIDUAL_MAPS_H_
