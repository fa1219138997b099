#include "independence/stream/residual_maps.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <utility>

#include "base/random_bits.h"
#include "base/try.h"
#include "independence/statistics/unit_similarity.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kTokensPerRead = 1024;

// `maps` with a common random projection behind them where they are wider than kSharedWidth.
ResidualMaps Narrowed(ResidualMaps maps, uint64_t seed) {
  const arma::uword width = maps.a.n_cols;
  if (width <= kSharedWidth) return maps;
  arma::fmat signs(width, kSharedWidth);
  const float size = 1.0f / std::sqrt(static_cast<float>(kSharedWidth));
  for (arma::uword i = 0; i < signs.n_elem; ++i) {
    signs[i] = (RandomBits(seed, i) & 1) != 0 ? size : -size;
  }
  return {.a = maps.a * signs, .b = maps.b * signs};
}

// One kind of embedding, of both models, over the shared tokens.
using EmbeddingReader = Result<FloatMatrix> (Network::*)(std::span<const uint32_t>) const;

// Embeddings of some tokens, hidden x tokens.
Result<arma::fmat> ReadEmbedding(const Network& network, EmbeddingReader reader,
                                 std::span<const uint32_t> ids, bool centre) {
  TG_ASSIGN(const auto rows, (network.*reader)(ids));
  arma::fmat columns(rows.values().data(), rows.columns(), rows.rows());
  if (centre) columns.each_row() -= arma::frowvec(arma::mean(columns, 0));
  return columns;
}

// Calls use(ids) for kTokensPerRead of the tokens at a time.
Result<void> ForEachPart(const std::vector<TokenPair>& tokens,
                         const std::function<Result<void>(std::span<const TokenPair>)>& use) {
  for (size_t first = 0; first < tokens.size(); first += kTokensPerRead) {
    const size_t count = std::min(kTokensPerRead, tokens.size() - first);
    if (auto used = use(std::span(tokens).subspan(first, count)); !used) return used;
  }
  return {};
}

// One network's side of the shared tokens, read some at a time.
class TokenEmbeddings {
 public:
  TokenEmbeddings(const Network& network, EmbeddingReader reader, uint32_t TokenPair::*id,
                  bool centre)
      : network_(network), reader_(reader), id_(id), centre_(centre) {}

  Result<void> FindMean(const std::vector<TokenPair>& tokens) {
    arma::vec sum(network_.description().hidden_size, arma::fill::zeros);
    const auto summed = ForEachPart(tokens, [&](std::span<const TokenPair> part) -> Result<void> {
      TG_ASSIGN(const auto columns, ReadPart(part));
      sum += arma::conv_to<arma::vec>::from(arma::sum(columns, 1));
      return {};
    });
    mean_ = arma::conv_to<arma::fvec>::from(sum / static_cast<double>(tokens.size()));
    return summed;
  }

  // Less the mean over all tokens, tokens x hidden; adds to the sum of squares.
  Result<arma::fmat> ReadCentred(std::span<const TokenPair> part) {
    auto columns = ReadPart(part);
    if (!columns) return columns;
    columns->each_col() -= mean_;
    const double length = static_cast<double>(arma::norm(*columns, "fro"));
    squares_ += length * length;
    return arma::fmat(columns->t());
  }

  double size() const { return std::sqrt(squares_); }

 private:
  Result<arma::fmat> ReadPart(std::span<const TokenPair> part) const {
    std::vector<uint32_t> ids;
    for (const TokenPair& pair : part) ids.push_back(pair.*id_);
    return ReadEmbedding(network_, reader_, ids, centre_);
  }

  const Network& network_;
  EmbeddingReader reader_;
  uint32_t TokenPair::*id_;
  bool centre_;
  arma::fvec mean_ = {};
  double squares_ = 0.0;
};

// The sum over tokens of a b^T, over the sizes of both. Zero where one side is.
Result<arma::fmat> EmbeddingCross(TokenEmbeddings a, TokenEmbeddings b,
                                  const std::vector<TokenPair>& tokens, unsigned threads) {
  TG_TRY(a.FindMean(tokens));
  TG_TRY(b.FindMean(tokens));
  arma::fmat cross;
  const auto added = ForEachPart(tokens, [&](std::span<const TokenPair> part) -> Result<void> {
    TG_ASSIGN(const auto rows_a, a.ReadCentred(part));
    TG_ASSIGN(const auto rows_b, b.ReadCentred(part));
    if (cross.empty()) cross.zeros(rows_a.n_cols, rows_b.n_cols);
    AddTransposedProduct(rows_a, rows_b, Triangle::kWhole, &cross, threads);
    return {};
  });
  if (!added) return added.error();
  const auto size = static_cast<float>(a.size() * b.size());
  return size > 0.0f ? arma::fmat(cross / size) : arma::fmat(arma::size(cross), arma::fill::zeros);
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
                                                   uint64_t seed, unsigned threads) {
  if (tokens.size() < kFewestTokens) return std::optional<ResidualMaps>();
  TG_ASSIGN(const auto centre_a, Centres(a));
  TG_ASSIGN(const auto centre_b, Centres(b));
  arma::fmat cross(a.description().hidden_size, b.description().hidden_size, arma::fill::zeros);
  for (const EmbeddingReader reader : {&Network::InputRows, &Network::OutputRows}) {
    TG_ASSIGN(const auto part,
              EmbeddingCross({a, reader, &TokenPair::a, centre_a},
                             {b, reader, &TokenPair::b, centre_b}, tokens, threads));
    cross += part;
  }
  return MapsFromCross(cross, seed);
}

}  // namespace tensorguard::internal
