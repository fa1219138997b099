#include "deep_test/block_pairing.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "deep_test/unit_similarity.h"

namespace tensorguard {
namespace {

// Units of each block of `a` that are looked up in `b`, as neighbouring pairs spread evenly, so
// that exchanging the two of a pair leaves the sample what it is.
constexpr arma::uword kSampledPairs = 64;

arma::uvec SampledUnits(arma::uword units) {
  const arma::uword pairs = units / 2;
  const arma::uword count = std::min(kSampledPairs, pairs);
  arma::uvec sample(2 * count);
  for (arma::uword i = 0; i < count; ++i) {
    const arma::uword pair = i * pairs / count;
    sample[2 * i] = 2 * pair;
    sample[2 * i + 1] = 2 * pair + 1;
  }
  return sample;
}

struct FlatBlock {
  const FeedForwardBlock* block = nullptr;
  size_t layer = 0;
};

std::vector<FlatBlock> Flatten(const BlockList& list) {
  std::vector<FlatBlock> flat;
  for (size_t layer = 0; layer < list.size(); ++layer) {
    for (const FeedForwardBlock& block : list[layer]) flat.push_back({&block, layer});
  }
  return flat;
}

// What the units of a block read, in the shared space, at unit length.
struct Readers {
  arma::fmat gate;  // empty without a gate
  arma::fmat up;
};

Result<Readers> ReadReaders(const Network& network, const FeedForwardBlock& block,
                            const arma::fmat& map, bool sample, unsigned threads) {
  auto vectors = ReadUnitVectors(network, block);
  if (!vectors) return vectors.error();
  Readers readers;
  const auto prepare = [&](const arma::fmat& columns) {
    if (!sample) return AtUnitLength(TransposedProduct(map, columns, threads));
    const arma::fmat sampled = columns.cols(SampledUnits(columns.n_cols));
    return AtUnitLength(TransposedProduct(map, sampled, threads));
  };
  if (vectors->has_gate()) readers.gate = prepare(vectors->gate);
  readers.up = prepare(vectors->up);
  return readers;
}

double Similarity(const Readers& sampled, const Readers& all, unsigned threads) {
  const bool gated = !sampled.gate.empty() && !all.gate.empty();
  const arma::fmat cosines =
      TransposedProduct(gated ? all.gate : all.up, gated ? sampled.gate : sampled.up, threads);
  return static_cast<double>(arma::mean(arma::fvec(arma::max(cosines, 0).t())));
}

struct BestBlocks {
  double similarity = -2.0;  // below any cosine
  const FeedForwardBlock* a = nullptr;
  const FeedForwardBlock* b = nullptr;
};

// The most similar blocks of each pair of layers; null where a layer has none.
using LayerTable = std::vector<std::vector<BestBlocks>>;

double MedianSimilarity(const LayerTable& table) {
  std::vector<double> values;
  for (const auto& row : table) {
    for (const BestBlocks& best : row) {
      if (best.a != nullptr) values.push_back(best.similarity);
    }
  }
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Dynamic programme over prefixes; ties prefer to pair.
std::vector<BlockPair> MonotoneAlignment(const LayerTable& table, size_t layers_b) {
  const size_t layers_a = table.size();
  const double median = MedianSimilarity(table);
  // A pair is worth a little even where it is not similar, so that no layer is left out needlessly.
  const auto worth = [&](const BestBlocks& best) {
    return best.a == nullptr ? 0.0 : std::max(best.similarity - median, 0.0) + 1e-9;
  };
  std::vector<std::vector<double>> best(layers_a + 1, std::vector<double>(layers_b + 1, 0.0));
  for (size_t i = 0; i < layers_a; ++i) {
    for (size_t j = 0; j < layers_b; ++j) {
      best[i + 1][j + 1] =
          std::max({best[i][j + 1], best[i + 1][j], best[i][j] + worth(table[i][j])});
    }
  }
  std::vector<BlockPair> path;
  for (size_t i = layers_a, j = layers_b; i > 0 && j > 0;) {
    const BestBlocks& here = table[i - 1][j - 1];
    if (here.a != nullptr && best[i][j] == best[i - 1][j - 1] + worth(here)) {
      path.push_back({.a = *here.a, .b = *here.b, .similarity = here.similarity});
      --i;
      --j;
    } else if (best[i][j] == best[i - 1][j]) {
      --i;
    } else {
      --j;
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace

bool HaveEqualLayout(const BlockList& a, const BlockList& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.size() == y.size(); });
}

std::vector<BlockPair> PairByPosition(const BlockList& a, const BlockList& b) {
  std::vector<BlockPair> pairs;
  for (size_t layer = 0; layer < a.size(); ++layer) {
    for (size_t block = 0; block < a[layer].size(); ++block) {
      pairs.push_back({.a = a[layer][block], .b = b[layer][block]});
    }
  }
  return pairs;
}

Result<std::vector<BlockPair>> PairBySimilarity(const Network& network_a, const BlockList& a,
                                                const Network& network_b, const BlockList& b,
                                                const ResidualMaps& maps,
                                                const PairingOptions& options) {
  std::vector<std::pair<FlatBlock, Readers>> sampled;
  for (const FlatBlock& flat : Flatten(a)) {
    auto readers = ReadReaders(network_a, *flat.block, maps.a, true, options.threads);
    if (!readers) return readers.error();
    sampled.emplace_back(flat, *std::move(readers));
  }
  LayerTable table(a.size(), std::vector<BestBlocks>(b.size()));
  for (const FlatBlock& flat : Flatten(b)) {
    const auto readers = ReadReaders(network_b, *flat.block, maps.b, false, options.threads);
    if (!readers) return readers.error();
    for (const auto& [flat_a, sample] : sampled) {
      BestBlocks& best = table[flat_a.layer][flat.layer];
      const double similarity = Similarity(sample, *readers, options.threads);
      if (similarity > best.similarity) best = {similarity, flat_a.block, flat.block};
    }
  }
  return MonotoneAlignment(table, b.size());
}

}  // namespace tensorguard
