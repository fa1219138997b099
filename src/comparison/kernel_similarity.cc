#include "comparison/kernel_similarity.h"

#include <algorithm>
#include <armadillo>
#include <utility>

namespace tensorguard {
namespace {

// Kernels are widened to float64 in pieces that stay in the cache.
constexpr size_t kPieceLength = 512;

// A piece of every row as a column.
arma::mat Widened(const FloatMatrix& rows, size_t begin, size_t length) {
  arma::mat columns(length, rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    std::copy_n(rows.Row(row).data() + begin, length, columns.colptr(row));
  }
  return columns;
}

arma::mat CosinesOf(const KernelRows& a, const KernelRows& b) {
  arma::mat cosines(a.units.rows(), b.units.rows(), arma::fill::zeros);
  const size_t length = a.units.columns();
  for (size_t begin = 0; begin < length; begin += kPieceLength) {
    const size_t piece = std::min(kPieceLength, length - begin);
    cosines += Widened(a.units, begin, piece).t() * Widened(b.units, begin, piece);
  }
  return cosines / (arma::vec(a.norms) * arma::vec(b.norms).t());
}

}  // namespace

LayerSimilarity::LayerSimilarity(const NormalisedKernels& a, const NormalisedKernels& b) {
  for (const NormalisedLayer& layer : a.layers) layer_of_row_.push_back(layer.layer);
  for (const NormalisedLayer& layer : b.layers) layer_of_column_.push_back(layer.layer);
  for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
    cosines_[kind].resize(rows() * columns());
    if (a.kinds[kind].norms.empty() || b.kinds[kind].norms.empty()) continue;
    const arma::mat cosines = CosinesOf(a.kinds[kind], b.kinds[kind]);
    for (size_t i = 0; i < a.size(); ++i) {
      for (size_t j = 0; j < b.size(); ++j) {
        const auto row = a[i].rows[kind];
        const auto column = b[j].rows[kind];
        if (row && column) cosines_[kind][i * columns() + j] = cosines(*row, *column);
      }
    }
  }
}

LayerSimilarity::LayerSimilarity(std::vector<size_t> layer_of_row,
                                 std::vector<size_t> layer_of_column, CosineTables cosines)
    : layer_of_row_(std::move(layer_of_row)),
      layer_of_column_(std::move(layer_of_column)),
      cosines_(std::move(cosines)) {}

std::optional<double> LayerSimilarity::Cosine(ResponseKind kind, size_t row, size_t column) const {
  return cosines_[static_cast<size_t>(kind)][row * columns() + column];
}

std::optional<double> LayerSimilarity::Mean(size_t row, size_t column) const {
  double sum = 0;
  size_t count = 0;
  for (const auto& cosines : cosines_) {
    const auto& cosine = cosines[row * columns() + column];
    if (!cosine) continue;
    sum += *cosine;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace tensorguard
