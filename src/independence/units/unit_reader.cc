#include "independence/units/unit_reader.h"

#include <algorithm>
#include <vector>

#include "base/parallel.h"
#include "base/try.h"
#include "independence/statistics/unit_similarity.h"

namespace tensorguard::internal {
namespace {

// That one thread reads at a time. A row of `down` is then read in stretches of 1 or 2 KiB.
constexpr uint64_t kUnitsPerRead = 512;

size_t ReadsOf(uint64_t units) { return (units + kUnitsPerRead - 1) / kUnitsPerRead; }

arma::fmat ColumnPerRow(const FloatMatrix& matrix) {
  return arma::fmat(matrix.values().data(), matrix.columns(), matrix.rows());
}

}  // namespace

std::optional<Weight> ReadTransposed(const Weight& down) {
  if (down.runs.size() != 1 || down.runs[0].step != 1) return {};
  Weight turned = down;
  turned.rows = down.columns;
  turned.columns = down.rows;
  turned.input_major = !down.input_major;
  turned.runs = {{.first = 0, .count = turned.rows}};
  turned.stored_rows = turned.rows;
  if (down.input_major) {
    if (down.runs[0].first != 0 || down.stored_rows != down.rows) return {};
  } else {
    turned.first_element += down.runs[0].first * down.columns;
  }
  return turned;
}

UnitReader::UnitReader(const Network& network, const FeedForwardBlock& block, InputNorm norm)
    : network_(&network),
      block_(block),
      norm_(std::move(norm)),
      down_by_unit_(ReadTransposed(block.down)) {}

Result<UnitReader> UnitReader::Open(const Network& network, const FeedForwardBlock& block,
                                    unsigned threads) {
  TG_ASSIGN(auto norm, ProbeInputNorm(network, block));
  UnitReader reader(network, block, std::move(norm));
  // As in WithoutMeanUnit.
  const std::vector<UnitMatrix> centred =
      block.gate ? std::vector{UnitMatrix::kGate} : std::vector{UnitMatrix::kUp, UnitMatrix::kDown};
  for (const UnitMatrix matrix : centred) {
    TG_TRY(reader.FindMean(matrix, threads));
  }
  return reader;
}

Result<arma::fmat> UnitReader::ReadWithMean(UnitMatrix matrix, uint64_t first,
                                            uint64_t count) const {
  const WeightSource& source = network_->source();
  if (matrix == UnitMatrix::kDown) {
    if (down_by_unit_) {
      const auto rows = ReadWeightRows(source, *down_by_unit_, first, count);
      if (rows) {
        arma::fmat columns = ColumnPerRow(*rows);
        NormaliseColumns(norm_.centres, &columns);
        return columns;
      }
    }
    // Whole: also for an error, which then names the place in the matrix as it is.
    TG_ASSIGN(const auto whole, ReadWeight(source, block_.down));
    arma::fmat columns = arma::fmat(ColumnPerRow(whole).rows(first, first + count - 1)).t();
    NormaliseColumns(norm_.centres, &columns);
    return columns;
  }
  const Weight& weight = matrix == UnitMatrix::kGate ? *block_.gate : block_.up;
  TG_ASSIGN(const auto rows, ReadWeightRows(source, weight, first, count));
  arma::fmat columns = ColumnPerRow(rows);
  // Gains are at most one, so that no product overflows.
  columns.each_col() %= norm_.gain;
  NormaliseColumns(norm_.centres, &columns);
  return columns;
}

Result<void> UnitReader::FindMean(UnitMatrix matrix, unsigned threads) {
  std::vector<arma::vec> sums(ReadsOf(units()));
  const auto summed = ParallelFor(sums.size(), threads, [&](size_t task) -> Result<void> {
    const uint64_t first = task * kUnitsPerRead;
    TG_ASSIGN(const auto columns,
              ReadWithMean(matrix, first, std::min(kUnitsPerRead, units() - first)));
    sums[task].zeros(columns.n_rows);
    for (arma::uword unit = 0; unit < columns.n_cols; ++unit) {
      const float* values = columns.colptr(unit);
      double* sum = sums[task].memptr();
      for (arma::uword i = 0; i < columns.n_rows; ++i) sum[i] += static_cast<double>(values[i]);
    }
    return {};
  });
  if (!summed) return summed;
  for (size_t task = 1; task < sums.size(); ++task) sums[0] += sums[task];
  means_[static_cast<size_t>(matrix)] =
      arma::conv_to<arma::fvec>::from(sums[0] / static_cast<double>(units()));
  return {};
}

Result<arma::fmat> UnitReader::Read(UnitMatrix matrix, uint64_t first, uint64_t count) const {
  auto columns = ReadWithMean(matrix, first, count);
  if (!columns) return columns;
  const arma::fvec& mean = means_[static_cast<size_t>(matrix)];
  if (mean.is_empty()) return columns;
  columns->each_col() -= mean;
  return AtUnitLength(*std::move(columns));
}

Result<UnitVectors> UnitReader::ReadAll(uint64_t first, uint64_t count) const {
  UnitVectors vectors;
  if (has_gate()) {
    TG_ASSIGN(auto gate, Read(UnitMatrix::kGate, first, count));
    vectors.gate = std::move(gate);
  }
  TG_ASSIGN(auto up, Read(UnitMatrix::kUp, first, count));
  vectors.up = std::move(up);
  TG_ASSIGN(auto down, Read(UnitMatrix::kDown, first, count));
  vectors.down = std::move(down);
  return vectors;
}

Result<arma::fmat> UnitReader::ReadInParallel(UnitMatrix matrix, uint64_t first, uint64_t count,
                                              unsigned threads) const {
  arma::fmat columns(hidden(), count);
  const auto read = ParallelFor(ReadsOf(count), threads, [&](size_t task) -> Result<void> {
    const uint64_t begin = task * kUnitsPerRead;
    const uint64_t part = std::min(kUnitsPerRead, count - begin);
    TG_ASSIGN(const auto units, Read(matrix, first + begin, part));
    columns.cols(begin, begin + part - 1) = units;
    return {};
  });
  if (!read) return read.error();
  return columns;
}

Result<const UnitReader*> UnitReaders::Of(const FeedForwardBlock& block) {
  const auto key = std::pair(block.layer, block.expert);
  auto found = readers_.find(key);
  if (found == readers_.end()) {
    TG_ASSIGN(auto reader, UnitReader::Open(network_, block, threads_));
    found = readers_.emplace(key, std::move(reader)).first;
  }
  return &found->second;
}

}  // namespace tensorguard::internal
