#include "comparison/alignment/kernel_similarity.h"

#include <utility>

#include "fingerprint/kernels/row_dots.h"

namespace tensorguard::internal {

LayerSimilarity::LayerSimilarity(const NormalisedKernels& a, const NormalisedKernels& b) {
  for (const NormalisedLayer& layer : a.layers) layer_of_row_.push_back(layer.layer);
  for (const NormalisedLayer& layer : b.layers) layer_of_column_.push_back(layer.layer);
  for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
    cosines_[kind].resize(rows() * columns());
    const KernelRows& in_a = a.kinds[kind];
    const KernelRows& in_b = b.kinds[kind];
    const std::vector<double> dots = RowDots(in_a.units, in_b.units);
    for (size_t i = 0; i < a.size(); ++i) {
      for (size_t j = 0; j < b.size(); ++j) {
        const auto row = a[i].rows[kind];
        const auto column = b[j].rows[kind];
        if (!row || !column) continue;
        cosines_[kind][i * columns() + j] =
            dots[*row * in_b.units.rows() + *column] / (in_a.norms[*row] * in_b.norms[*column]);
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

}  // namespace tensorguard::internal
