// How alike the layers of two models respond to the anchors that both know.
#ifndef TENSORGUARD_COMPARISON_ALIGNMENT_KERNEL_SIMILARITY_H_
#define TENSORGUARD_COMPARISON_ALIGNMENT_KERNEL_SIMILARITY_H_

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "fingerprint/kernels/normalised_kernels.h"

namespace tensorguard::internal {

// Cosines of the kernels of every layer of `a` with every layer of `b`.
class LayerSimilarity {
 public:
  // By kind; [row * columns + column], empty where one of the two layers has no such kernel.
  using CosineTables = std::array<std::vector<std::optional<double>>, kResponseKinds.size()>;

  LayerSimilarity(const NormalisedKernels& a, const NormalisedKernels& b);
  // The same, computed elsewhere. REQUIRES: every table has the size of rows times columns.
  LayerSimilarity(std::vector<size_t> layer_of_row, std::vector<size_t> layer_of_column,
                  CosineTables cosines);

  // Layers that have a kernel; layer_of_row()[i] is the index in a's Fingerprint::layers.
  const std::vector<size_t>& layer_of_row() const { return layer_of_row_; }
  const std::vector<size_t>& layer_of_column() const { return layer_of_column_; }
  size_t rows() const { return layer_of_row_.size(); }
  size_t columns() const { return layer_of_column_.size(); }

  // Empty where one of the two layers has no such kernel. REQUIRES: row < rows(), column <
  // columns().
  std::optional<double> Cosine(ResponseKind kind, size_t row, size_t column) const;
  // Mean over the kernels that both layers have; empty if they have none in common.
  std::optional<double> Mean(size_t row, size_t column) const;

 private:
  std::vector<size_t> layer_of_row_;
  std::vector<size_t> layer_of_column_;
  CosineTables cosines_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_ALIGNMENT_KERNEL_SIMILARITY_H_
