#include "deep_test/residual_maps.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "deep_test/seeded_bits.h"

namespace tensorguard {
namespace {

constexpr size_t kTokensPerRead = 1024;

// `maps` with a common random projection behind them where they are wider than kSharedWidth.
ResidualMaps Narrowed(ResidualMaps maps, uint64_t seed) {
  const arma::uword width = maps.a.n_cols;
  if (width <= kSharedWidth) return maps;
  arma::fmat signs(width, kSharedWidth);
  const float size = 1.0f / std::sqrt(static_cast<float>(kSharedWidth));
  for (arma::uword i = 0; i < signs.n_elem; ++i) {
    signs[i] = (SeededBits(seed, i) & 1) != 0 ? size : -size;
  }
  return {.a = maps.a * signs, .b = maps.b * signs};
}

// One kind of embedding, of both models, over the shared tokens.
using EmbeddingReader = Result<FloatMatrix> (Network::*)(std::span<const uint32_t>) const;

// hidden x tokens, less the mean over tokens.
Result<arma::fmat> ReadEmbedding(const Network& network, EmbeddingReader reader,
                                 const std::vector<uint32_t>& ids, bool centre) {
  const auto hidden = static_cast<arma::uword>(network.description().hidden_size);
  arma::fmat columns(hidden, ids.size());
  for (size_t first = 0; first < ids.size(); first += kTokensPerRead) {
    const size_t count = std::min(kTokensPerRead, ids.size() - first);
    const auto rows = (network.*reader)(std::span(ids).subspan(first, count));
    if (!rows) return rows.error();
    columns.cols(first, first + count - 1) =
        arma::fmat(rows->values().data(), rows->columns(), rows->rows());
  }
  if (centre) columns.each_row() -= arma::frowvec(arma::mean(columns, 0));
  columns.each_col() -= arma::fvec(arma::mean(columns, 1));
  return columns;
}

Result<bool> Centres(const Network& network) {
  for (const auto& layer : ListFeedForwardBlocks(network)) {
    if (!layer.empty()) return CentresResidualStream(network, layer.front());
  }
  return false;
}

}  // namespace

ResidualMaps SameCoordinates(uint64_t hidden_a, uint64_t hidden_b, uint64_t seed) {
  const uint64_t width = std::min(hidden_a, hidden_b);
  return Narrowed({.a = arma::fmat(hidden_a, width, arma::fill::eye),
                   .b = arma::fmat(hidden_b, width, arma::fill::eye)},
                  seed);
}

std::optional<ResidualMaps> MapsFromCross(const arma::fmat& cross, uint64_t seed) {
  if (cross.empty() || !cross.is_finite() || cross.is_zero()) return {};
  arma::fmat left;
  arma::fmat right;
  arma::fvec sizes;
  if (!arma::svd_econ(left, sizes, right, cross, "both", "dc")) return {};
  return Narrowed({.a = std::move(left), .b = std::move(right)}, seed);
}

Result<std::optional<ResidualMaps>> MapsFromTokens(const Network& a, const Network& b,
                                                   const std::vector<TokenPair>& tokens,
                                                   uint64_t seed) {
  if (tokens.size() < kFewestTokens) return std::optional<ResidualMaps>();
  std::vector<uint32_t> ids_a;
  std::vector<uint32_t> ids_b;
  for (const TokenPair& pair : tokens) {
    ids_a.push_back(pair.a);
    ids_b.push_back(pair.b);
  }
  const auto centre_a = Centres(a);
  if (!centre_a) return centre_a.error();
  const auto centre_b = Centres(b);
  if (!centre_b) return centre_b.error();
  arma::fmat cross(a.description().hidden_size, b.description().hidden_size, arma::fill::zeros);
  for (const EmbeddingReader reader : {&Network::InputRows, &Network::OutputRows}) {
    const auto columns_a = ReadEmbedding(a, reader, ids_a, *centre_a);
    if (!columns_a) return columns_a.error();
    const auto columns_b = ReadEmbedding(b, reader, ids_b, *centre_b);
    if (!columns_b) return columns_b.error();
    const float size = arma::norm(*columns_a, "fro") * arma::norm(*columns_b, "fro");
    if (size > 0.0f) cross += *columns_a * columns_b->t() / size;
  }
  return MapsFromCross(cross, seed);
}

}  // namespace tensorguard
