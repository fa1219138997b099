#include "comparison/alignment/layer_alignment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <span>

namespace tensorguard::internal {
namespace {

// best[i][j]: the highest sum over the first i rows and j columns.
using SumTable = std::vector<std::vector<double>>;

using SimilarityOf = std::function<std::optional<double>(size_t row, size_t column)>;

SumTable BestSums(const LayerSimilarity& similarity, const SimilarityOf& similarity_of) {
  SumTable best(similarity.rows() + 1, std::vector<double>(similarity.columns() + 1, 0.0));
  for (size_t i = 0; i < similarity.rows(); ++i) {
    for (size_t j = 0; j < similarity.columns(); ++j) {
      double sum = std::max(best[i][j + 1], best[i + 1][j]);
      if (const auto found = similarity_of(i, j)) sum = std::max(sum, best[i][j] + *found);
      best[i + 1][j + 1] = sum;
    }
  }
  return best;
}

std::vector<AlignedLayers> TracePath(const LayerSimilarity& similarity, const SumTable& best) {
  std::vector<AlignedLayers> path;
  size_t i = similarity.rows();
  size_t j = similarity.columns();
  while (i > 0 && j > 0) {
    if (best[i][j] == best[i - 1][j]) {
      --i;
    } else if (best[i][j] == best[i][j - 1]) {
      --j;
    } else {
      --i;
      --j;
      path.push_back({.row = i, .column = j, .similarity = *similarity.Mean(i, j)});
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

OffPath Beside(const LayerSimilarity& similarity, const std::vector<AlignedLayers>& path) {
  OffPath off;
  double sum = 0;
  double squares = 0;
  auto next = path.begin();
  for (size_t i = 0; i < similarity.rows(); ++i) {
    if (next != path.end() && next->row < i) ++next;
    for (size_t j = 0; j < similarity.columns(); ++j) {
      const bool on_path = next != path.end() && next->row == i && next->column == j;
      const auto mean = similarity.Mean(i, j);
      if (on_path || !mean) continue;
      off.highest = off.pairs == 0 ? *mean : std::max(off.highest, *mean);
      sum += *mean;
      squares += *mean * *mean;
      ++off.pairs;
    }
  }
  if (off.pairs == 0) return off;
  const auto count = static_cast<double>(off.pairs);
  off.mean = sum / count;
  off.standard_deviation = std::sqrt(std::max(0.0, squares / count - off.mean * off.mean));
  return off;
}

// Kernels of a layer with an answer of both models.
size_t KernelsOf(const LayerSimilarity& similarity, size_t row) {
  size_t count = 0;
  for (const ResponseKind kind : kResponseKinds) {
    bool answers = false;
    for (size_t column = 0; column < similarity.columns(); ++column) {
      answers = answers || similarity.Cosine(kind, row, column).has_value();
    }
    count += answers ? 1 : 0;
  }
  return count;
}

// The sum of these kinds' cosines, as shares of a layer with `kernels` of them.
std::optional<double> SumOf(std::span<const ResponseKind> kinds, size_t kernels,
                            const LayerSimilarity& similarity, size_t row, size_t column) {
  std::optional<double> sum;
  for (const ResponseKind kind : kinds) {
    const auto cosine = similarity.Cosine(kind, row, column);
    if (cosine) sum = sum.value_or(0) + *cosine / static_cast<double>(kernels);
  }
  return sum;
}

}  // namespace

double ScoreOfHalves(const LayerSimilarity& similarity) {
  constexpr std::array kMixer = {ResponseKind::kQueryKey, ResponseKind::kOutputValue};
  constexpr std::array kFeedForward = {ResponseKind::kFeedForward};
  const size_t shallower = std::min(similarity.rows(), similarity.columns());
  if (shallower == 0) return 0;
  size_t kernels = 1;
  for (size_t row = 0; row < similarity.rows(); ++row) {
    kernels = std::max(kernels, KernelsOf(similarity, row));
  }
  double sum = 0;
  for (const std::span<const ResponseKind> half :
       {std::span<const ResponseKind>(kMixer), std::span<const ResponseKind>(kFeedForward)}) {
    const SumTable best = BestSums(similarity, [&](size_t row, size_t column) {
      return SumOf(half, kernels, similarity, row, column);
    });
    sum += best.back().back();
  }
  return sum / static_cast<double>(shallower);
}

LayerAlignment AlignLayers(const LayerSimilarity& similarity) {
  LayerAlignment alignment;
  const size_t shallower = std::min(similarity.rows(), similarity.columns());
  if (shallower == 0) return alignment;
  const SumTable best =
      BestSums(similarity, [&](size_t row, size_t column) { return similarity.Mean(row, column); });
  alignment.path = TracePath(similarity, best);
  alignment.score = best.back().back() / static_cast<double>(shallower);
  alignment.off_path = Beside(similarity, alignment.path);
  return alignment;
}

}  // namespace tensorguard::internal
