#include "independence/units/block_pairing.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/parallel.h"
#include "base/try.h"
#include "independence/statistics/unit_similarity.h"

namespace tensorguard::internal {
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

// Sampled units of all blocks of one network by one matrix, mapped, at unit length.
struct Samples {
  arma::fmat columns;                  // shared width x samples of all these blocks, side by side
  std::vector<FlatBlock> blocks = {};  // that have the matrix
  std::vector<arma::uword> ends = {};  // where each one's samples end
};

Result<Samples> ReadSamples(UnitReaders& readers, const std::vector<FlatBlock>& blocks,
                            UnitMatrix matrix, const arma::fmat& map, unsigned threads) {
  Samples samples;
  for (const FlatBlock& flat : blocks) {
    TG_ASSIGN(const auto reader, readers.Of(*flat.block));
    if (matrix == UnitMatrix::kGate && !reader->has_gate()) continue;
    const arma::uvec sample = SampledUnits(reader->units());
    arma::fmat columns(reader->hidden(), sample.n_elem);
    const auto read = ParallelFor(sample.n_elem / 2, threads, [&](size_t pair) -> Result<void> {
      TG_ASSIGN(const auto units, reader->Read(matrix, sample[2 * pair], 2));
      columns.cols(2 * pair, 2 * pair + 1) = units;
      return {};
    });
    if (!read) return read.error();
    samples.columns =
        arma::join_rows(samples.columns, AtUnitLength(TransposedProduct(map, columns, threads)));
    samples.blocks.push_back(flat);
    samples.ends.push_back(samples.columns.n_cols);
  }
  return samples;
}

// Units that one thread compares with all samples at a time.
constexpr uint64_t kUnitsPerTask = 512;

// The largest cosine of every sample to a unit of the block.
Result<arma::fvec> LargestCosines(const Samples& samples, const UnitReader& reader,
                                  UnitMatrix matrix, const arma::fmat& map, unsigned threads) {
  std::vector<arma::fvec> largest((reader.units() + kUnitsPerTask - 1) / kUnitsPerTask);
  const auto done = ParallelFor(largest.size(), threads, [&](size_t task) -> Result<void> {
    const uint64_t first = task * kUnitsPerTask;
    TG_ASSIGN(const auto units,
              reader.Read(matrix, first, std::min(kUnitsPerTask, reader.units() - first)));
    const arma::fmat mapped = AtUnitLength(TransposedProduct(map, units, 1));
    const arma::fmat cosines = TransposedProduct(mapped, samples.columns, 1);
    largest[task] = arma::max(cosines, 0).t();
    return {};
  });
  if (!done) return done.error();
  for (size_t task = 1; task < largest.size(); ++task) {
    largest[0] = arma::max(largest[0], largest[task]);
  }
  return largest[0];
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

Result<std::vector<BlockPair>> PairBySimilarity(UnitReaders& readers_a, const BlockList& a,
                                                UnitReaders& readers_b, const BlockList& b,
                                                const ResidualMaps& maps,
                                                const PairingOptions& options) {
  LayerTable table(a.size(), std::vector<BestBlocks>(b.size()));
  const std::vector<FlatBlock> blocks_a = Flatten(a);
  const std::vector<FlatBlock> blocks_b = Flatten(b);
  for (const UnitMatrix matrix : {UnitMatrix::kGate, UnitMatrix::kUp}) {
    TG_ASSIGN(const auto samples,
              ReadSamples(readers_a, blocks_a, matrix, maps.a, options.threads));
    for (const FlatBlock& flat : blocks_b) {
      TG_ASSIGN(const auto reader, readers_b.Of(*flat.block));
      const auto compares = [&](const FlatBlock& flat_a) {
        const bool gated = flat_a.block->gate && flat.block->gate;
        return gated == (matrix == UnitMatrix::kGate);
      };
      if (std::none_of(samples.blocks.begin(), samples.blocks.end(), compares)) continue;
      TG_ASSIGN(const auto largest,
                LargestCosines(samples, *reader, matrix, maps.b, options.threads));
      arma::uword begin = 0;
      for (size_t i = 0; i < samples.blocks.size(); ++i) {
        const FlatBlock& flat_a = samples.blocks[i];
        const arma::fvec of_block = largest.subvec(begin, samples.ends[i] - 1);
        begin = samples.ends[i];
        if (!compares(flat_a)) continue;
        BestBlocks& best = table[flat_a.layer][flat.layer];
        const auto similarity = static_cast<double>(arma::mean(of_block));
        if (similarity > best.similarity) best = {similarity, flat_a.block, flat.block};
      }
    }
  }
  return MonotoneAlignment(table, b.size());
}

}  // namespace tensorguard::internal
