#include "comparison/merges/merge_candidates.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "comparison/thresholds.h"
#include "comparison/weight_pairs.h"

namespace tensorguard::internal {
namespace {

// Squared distances below this share of the model's norm are none: sketches are float16.
constexpr double kNoDistance = kUnchanged * kUnchanged;

// Candidate minus child, a column for each learned matrix in the order of the child's, in units of
// the child's norm; empty if the two do not have the same ones.
arma::mat Differences(const Fingerprint& child, const Fingerprint& candidate) {
  std::vector<double> values;
  size_t matrices = 0;
  for (const WeightPair& pair : PairWeights(child, candidate, LayersByIndex(child, candidate))) {
    const WeightSummary& own = child.weights[pair.in_a];
    const WeightSummary& other = candidate.weights[pair.in_b];
    if (!IsLearnedMatrix(own) || !IsLearnedMatrix(other) || !SameShape(own, other)) continue;
    if (own.role.expert != other.role.expert) continue;
    ++matrices;
    double squares = 0;
    for (const float value : own.sketch.values()) squares += double{value} * value;
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 1;
    const auto own_values = own.sketch.values();
    const auto other_values = other.sketch.values();
    for (size_t i = 0; i < own_values.size(); ++i) {
      values.push_back(scale * (double{other_values[i]} - own_values[i]));
    }
  }
  if (matrices != LearnedMatrices(child) || matrices != LearnedMatrices(candidate)) return {};
  return arma::mat(values.data(), kSketchSize * kSketchSize, matrices);
}

// The same of a model of zeros. REQUIRES: Differences found `matrices` of the child.
arma::mat DifferenceOfZero(const Fingerprint& child, size_t matrices) {
  arma::mat difference(kSketchSize * kSketchSize, matrices);
  arma::uword column = 0;
  for (const WeightSummary& weight : child.weights) {
    if (!IsLearnedMatrix(weight)) continue;
    const auto values = weight.sketch.values();
    for (size_t i = 0; i < values.size(); ++i) difference(i, column) = -double{values[i]};
    const double norm = arma::norm(difference.col(column));
    if (norm > 0) difference.col(column) /= norm;
    ++column;
  }
  return difference;
}

bool IsNew(const arma::mat& difference, const std::vector<arma::mat>& others, double none) {
  if (arma::accu(arma::square(difference)) <= none) return false;
  return std::none_of(others.begin(), others.end(), [&](const arma::mat& other) {
    return arma::accu(arma::square(difference - other)) <= none;
  });
}

double SquaredNorm(const Fingerprint& model) {
  double sum = 0;
  for (const WeightSummary& weight : model.weights) {
    if (IsLearnedMatrix(weight)) sum += weight.norm * weight.norm;
  }
  return sum;
}

}  // namespace

MergeCandidates ComparableCandidates(const Fingerprint& child,
                                     std::span<const Fingerprint* const> candidates) {
  MergeCandidates comparable;
  comparable.child_squared_norm = SquaredNorm(child);
  comparable.matrices = static_cast<double>(LearnedMatrices(child));
  std::vector<arma::mat> differences;
  for (size_t i = 0; i < candidates.size(); ++i) {
    arma::mat difference = Differences(child, *candidates[i]);
    if (difference.is_empty()) continue;
    if (!IsNew(difference, differences, kNoDistance * comparable.matrices)) continue;
    differences.push_back(std::move(difference));
    comparable.index.push_back(i);
    comparable.squared_norms.push_back(SquaredNorm(*candidates[i]));
  }
  if (differences.empty()) return comparable;
  differences.push_back(DifferenceOfZero(child, differences.front().n_cols));
  const size_t count = differences.size();
  comparable.products.zeros(count, count);
  for (arma::uword matrix = 0; matrix < differences.front().n_cols; ++matrix) {
    arma::mat products(count, count);
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        products(i, j) = products(j, i) =
            arma::dot(differences[i].col(matrix), differences[j].col(matrix));
      }
    }
    comparable.products += products;
    comparable.by_matrix.push_back(std::move(products));
  }
  return comparable;
}

}  // namespace tensorguard::internal
