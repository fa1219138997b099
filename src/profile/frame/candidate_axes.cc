#include "profile/frame/candidate_axes.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <utility>
#include <vector>

#include "base/bfloat16.h"
#include "base/parallel.h"
#include "base/random_bits.h"
#include "base/try.h"
#include "numerics/matrix_product.h"

namespace tensorguard::internal {
namespace {

// Neighbouring rows that are read at a time.
constexpr uint64_t kStretchRows = 32;
// Experts of a layer that are sampled.
constexpr size_t kSampledExperts = 8;
// Blocks of the Krylov space in which the leading vectors are sought: six times as many directions
// as candidates, so that the sixteen axes do not hang on the start any more.
constexpr size_t kKrylovBlocks = 4;
// Rows that one thread multiplies at a time.
constexpr uint64_t kChunkRows = 512;
constexpr uint64_t kStartSeed = 0x6672616d65;  // "frame"

Error LinearAlgebraFails() {
  return {.kind = ErrorKind::kSystem, .problem = "the system's linear algebra finds no axes"};
}

struct Stretch {
  size_t weight = 0;  // in FramePlan::weights
  uint64_t first = 0;
  uint64_t count = 0;
};

// Those of attention and of the feed-forward, or some experts at even distances.
std::vector<size_t> SampledReaders(const FramePlan& plan) {
  std::vector<size_t> readers;
  const auto add = [&](const FramePart& part) {
    for (const size_t weight : part.weights) {
      if (!plan.weights[weight].writes) readers.push_back(weight);
    }
  };
  for (const FrameLayer& layer : plan.layers) {
    std::vector<const FramePart*> blocks;
    for (const FramePart& part : layer.parts) {
      if (part.is_attention) {
        add(part);
      } else {
        blocks.push_back(&part);
      }
    }
    const size_t taken = std::min(blocks.size(), kSampledExperts);
    for (size_t i = 0; i < taken; ++i) add(*blocks[i * blocks.size() / taken]);
  }
  return readers;
}

// Whole matrices where there is room for them, else stretches at even distances.
std::vector<Stretch> ChooseStretches(const FramePlan& plan) {
  const auto readers = SampledReaders(plan);
  std::vector<Stretch> stretches;
  if (readers.empty()) return stretches;
  const uint64_t most =
      std::max(kStretchRows, std::min(kMostAxisRows, kMostAxisNumbers / plan.hidden));
  uint64_t all = 0;
  for (const size_t reader : readers) all += plan.weights[reader].weight->rows;
  if (all <= most) {
    for (const size_t reader : readers) {
      stretches.push_back({reader, 0, plan.weights[reader].weight->rows});
    }
    return stretches;
  }
  // The same number of stretches from every matrix; of more matrices than stretches, some.
  const uint64_t wanted = most / kStretchRows;
  for (uint64_t i = 0; i < wanted; ++i) {
    const size_t place = i * readers.size() / wanted;
    const uint64_t first_of_place = (place * wanted + readers.size() - 1) / readers.size();
    const uint64_t end_of_place = ((place + 1) * wanted + readers.size() - 1) / readers.size();
    const uint64_t rows = plan.weights[readers[place]].weight->rows;
    const uint64_t count = std::min(kStretchRows, rows);
    const uint64_t steps = std::max<uint64_t>(1, end_of_place - first_of_place);
    stretches.push_back({readers[place], (rows - count) * (i - first_of_place) / steps, count});
  }
  return stretches;
}

// Behind the gain, centred where the norm centres, at unit norm. Zero rows stay zero.
void NormaliseRow(const std::vector<float>& gain, bool centres, std::span<float> row) {
  double mean = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    row[i] *= gain[i];
    mean += row[i];
  }
  mean = centres ? mean / static_cast<double>(row.size()) : 0;
  double square = 0;
  for (const float value : row) square += (value - mean) * (value - mean);
  const double factor = square > 0 && std::isfinite(square) ? 1 / std::sqrt(square) : 0;
  for (float& value : row) value = static_cast<float>((value - mean) * factor);
}

struct Sample {
  uint64_t hidden = 0;
  uint64_t rows = 0;
  std::vector<BFloat16> numbers;  // [rows, hidden]
};

Result<Sample> ReadSample(const FramePlan& plan, unsigned threads) {
  const auto stretches = ChooseStretches(plan);
  Sample sample;
  sample.hidden = plan.hidden;
  std::vector<uint64_t> first_rows;
  for (const Stretch& stretch : stretches) {
    first_rows.push_back(sample.rows);
    sample.rows += stretch.count;
  }
  sample.numbers.resize(sample.rows * plan.hidden);
  auto read = ParallelFor(stretches.size(), threads, [&](size_t i) -> Result<void> {
    const Stretch& stretch = stretches[i];
    const StreamWeight& of = plan.weights[stretch.weight];
    TG_ASSIGN(auto rows, ReadWeightRows(*plan.source, *of.weight, stretch.first, stretch.count));
    for (uint64_t row = 0; row < stretch.count; ++row) {
      NormaliseRow(*of.stream_factors, plan.centres, rows.Row(row));
    }
    std::ranges::transform(rows.values(), &sample.numbers[first_rows[i] * plan.hidden],
                           RoundToBFloat16);
    return {};
  });
  if (!read) return std::move(read).error();
  return sample;
}

std::vector<BFloat16> Rounded(const arma::mat& rows) {
  std::vector<BFloat16> rounded(rows.n_elem);
  for (arma::uword row = 0; row < rows.n_rows; ++row) {
    for (arma::uword column = 0; column < rows.n_cols; ++column) {
      rounded[row * rows.n_cols + column] = RoundToBFloat16(static_cast<float>(rows(row, column)));
    }
  }
  return rounded;
}

// directions [n, hidden] times the sample's second moment: [n, hidden]. Chunks are cut by the
// sample alone and added in their order.
Result<arma::mat> TimesMoment(const Sample& sample, const arma::mat& directions, unsigned threads) {
  const auto left = Rounded(directions);
  const uint64_t count = directions.n_rows;
  const uint64_t chunks = (sample.rows + kChunkRows - 1) / kChunkRows;
  std::vector<std::vector<float>> parts(chunks);
  auto multiplied = ParallelFor(chunks, threads, [&](size_t i) -> Result<void> {
    const uint64_t rows = std::min(kChunkRows, sample.rows - i * kChunkRows);
    const auto chunk =
        std::span(sample.numbers).subspan(i * kChunkRows * sample.hidden, rows * sample.hidden);
    std::vector<float> along(count * rows);
    auto projected =
        Multiply(std::span<const BFloat16>(left), chunk, RightSide::kTransposed,
                 {.rows = count, .columns = rows, .inner = sample.hidden}, {along.data(), rows});
    if (!projected) return projected;
    std::vector<BFloat16> rounded(along.size());
    std::ranges::transform(along, rounded.begin(), RoundToBFloat16);
    parts[i].resize(count * sample.hidden);
    return Multiply(std::span<const BFloat16>(rounded), chunk, RightSide::kAsIs,
                    {.rows = count, .columns = sample.hidden, .inner = rows},
                    {parts[i].data(), sample.hidden});
  });
  if (!multiplied) return std::move(multiplied).error();
  arma::mat product(count, sample.hidden, arma::fill::zeros);
  for (const auto& part : parts) {
    for (uint64_t row = 0; row < count; ++row) {
      for (uint64_t column = 0; column < sample.hidden; ++column) {
        product(row, column) += part[row * sample.hidden + column];
      }
    }
  }
  return product;
}

// An orthonormal basis of what the rows have beyond those of `before`. What is left of a second
// pass is put right by the nearest orthonormal rows: the principal directions of rows that are
// almost orthonormal hang on the last bits of the products alone, and so on the processor.
bool Orthonormalise(const arma::mat& before, arma::mat& rows) {
  arma::vec lengths;
  arma::mat turns;
  const auto decompose = [&] {
    if (before.n_rows > 0) rows -= (rows * before.t()) * before;
    return arma::eig_sym(lengths, turns, arma::mat(rows * rows.t()));
  };
  const auto keep_longer_than = [&](double least) {
    const arma::uvec kept = arma::find(lengths > least);
    if (kept.is_empty()) {
      rows.set_size(0, rows.n_cols);
      return;
    }
    rows = arma::mat(turns.cols(kept)).t() * rows;
    rows.each_col() /= arma::sqrt(arma::vec(lengths.elem(kept)));
  };
  if (rows.n_rows == 0) return true;
  if (!decompose()) return false;
  keep_longer_than(std::max(1e-7 * lengths.max(), 1e-18));

  if (rows.n_rows == 0) return true;
  if (!decompose()) return false;
  constexpr double kAlmostOne = 0.5;
  if (lengths.min() > kAlmostOne) {
    rows = turns * arma::diagmat(1 / arma::sqrt(lengths)) * turns.t() * rows;
  } else {
    keep_longer_than(kAlmostOne);
  }
  return true;
}

// Sums of the sample's rows with random signs: they turn with the model.
arma::mat Start(const Sample& sample, size_t count) {
  arma::mat start(count, sample.hidden, arma::fill::zeros);
  for (uint64_t row = 0; row < sample.rows; ++row) {
    const uint64_t bits = RandomBits(kStartSeed, row);
    const BFloat16* numbers = &sample.numbers[row * sample.hidden];
    // One of the sums for each row: as much mixing for a fraction of the work.
    const size_t sum = (bits >> 8) % count;
    const double sign = (bits & 1) != 0 ? 1 : -1;
    for (uint64_t i = 0; i < sample.hidden; ++i) start(sum, i) += sign * ToFloat32(numbers[i]);
  }
  return start;
}

}  // namespace

Result<FloatMatrix> FindCandidateAxes(const FramePlan& plan, size_t count, unsigned threads) {
  UseOneLibraryThread();
  TG_ASSIGN(const auto sample, ReadSample(plan, threads));
  if (sample.rows == 0 || plan.hidden == 0) return FloatMatrix();
  arma::mat block = Start(sample, std::min<uint64_t>(count, plan.hidden));
  arma::mat basis(0, plan.hidden);
  arma::mat products(0, plan.hidden);
  for (size_t step = 0; step < kKrylovBlocks; ++step) {
    if (!Orthonormalise(basis, block)) return LinearAlgebraFails();
    if (block.n_rows == 0) break;
    TG_ASSIGN(auto product, TimesMoment(sample, block, threads));
    basis = arma::join_cols(basis, block);
    products = arma::join_cols(products, product);
    block = std::move(product);
  }
  if (basis.n_rows == 0) return FloatMatrix();
  const arma::mat moment = basis * products.t();
  arma::vec shares;
  arma::mat turns;
  if (!arma::eig_sym(shares, turns, arma::mat(0.5 * (moment + moment.t())))) {
    return LinearAlgebraFails();
  }
  const auto kept = std::min<arma::uword>(count, basis.n_rows);
  const arma::mat axes = arma::mat(arma::fliplr(turns)).cols(0, kept - 1).t() * basis;
  FloatMatrix found(kept, plan.hidden);
  for (arma::uword row = 0; row < kept; ++row) {
    for (uint64_t i = 0; i < plan.hidden; ++i) {
      found.Row(row)[i] = static_cast<float>(axes(row, i));
    }
  }
  return found;
}

}  // namespace tensorguard::internal
