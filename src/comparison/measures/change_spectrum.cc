#include "comparison/measures/change_spectrum.h"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <limits>

#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"

namespace tensorguard::internal {
namespace {

arma::mat ToMatrix(const FloatMatrix& values) {
  arma::mat matrix(values.rows(), values.columns());
  for (size_t row = 0; row < values.rows(); ++row) {
    const auto row_values = values.Row(row);
    for (size_t column = 0; column < values.columns(); ++column) {
      matrix(row, column) = row_values[column];
    }
  }
  return matrix;
}

// Greatest singular value of what rounding alone makes of the difference: an n x n matrix of
// independent entries of norm f has 2 f / sqrt(n) (Marchenko and Pastur 1967).
double RoundingLevel(const WeightSummary& a, const WeightSummary& b, double norm) {
  const double weights = std::max(UnitRoundoff(a.dtype), UnitRoundoff(b.dtype));
  const double sketches = UnitRoundoff("F16");
  const double share = std::sqrt((weights * weights + 2 * sketches * sketches) / 3);
  return kRankNoiseFactor * 2 * share * norm / std::sqrt(static_cast<double>(kSketchSize));
}

// Householder's reflection that turns column k below the diagonal into a multiple of the first unit
// vector, applied from both sides to what is right and below of it. The multiple.
double Reflect(arma::mat& matrix, arma::uword k, arma::vec& reflector, arma::vec& product) {
  const arma::uword n = matrix.n_rows;
  const arma::uword first = k + 1;
  double squares = 0;
  for (arma::uword i = first; i < n; ++i) squares += matrix(i, k) * matrix(i, k);
  const double norm = std::sqrt(squares);
  if (norm == 0) return 0;
  const double target = matrix(first, k) > 0 ? -norm : norm;
  for (arma::uword i = first; i < n; ++i) reflector(i) = matrix(i, k);
  reflector(first) -= target;
  // H = I - v v' / h. A - v w' - w v' with p = A v / h, w = p - v (p.v / 2 h).
  const double h = norm * (norm + std::abs(matrix(first, k)));
  for (arma::uword i = first; i < n; ++i) product(i) = 0;
  for (arma::uword j = first; j < n; ++j) {
    const double* column = matrix.colptr(j);
    const double share = reflector(j) / h;
    for (arma::uword i = first; i < n; ++i) product(i) += column[i] * share;
  }
  double along = 0;
  for (arma::uword i = first; i < n; ++i) along += product(i) * reflector(i);
  const double half = along / (2 * h);
  for (arma::uword i = first; i < n; ++i) product(i) -= half * reflector(i);
  for (arma::uword j = first; j < n; ++j) {
    double* column = matrix.colptr(j);
    const double v = reflector(j);
    const double w = product(j);
    for (arma::uword i = first; i < n; ++i) column[i] -= reflector(i) * w + product(i) * v;
  }
  return target;
}

// left^T right, by plain loops: see fingerprint/kernels/row_dots.h for why not by OpenBLAS.
arma::mat ProductOfColumns(const arma::mat& left, const arma::mat& right) {
  arma::mat product(left.n_cols, right.n_cols, arma::fill::zeros);
  const arma::mat turned = arma::trans(left);
  for (arma::uword j = 0; j < right.n_cols; ++j) {
    double* out = product.colptr(j);
    for (arma::uword k = 0; k < right.n_rows; ++k) {
      const double factor = right(k, j);
      const double* column = turned.colptr(k);
      for (arma::uword i = 0; i < product.n_rows; ++i) out[i] += column[i] * factor;
    }
  }
  return product;
}

arma::mat ChangeOf(const WeightSummary& a, const WeightSummary& b) {
  return ToMatrix(b.sketch) - ToMatrix(a.sketch);
}

double NormOf(const FloatMatrix& sketch) {
  double squares = 0;
  for (const float value : sketch.values()) squares += double{value} * value;
  return std::sqrt(squares);
}

}  // namespace

size_t EigenvaluesAbove(arma::mat symmetric, double threshold) {
  const arma::uword n = symmetric.n_rows;
  arma::vec reflector(n);
  arma::vec product(n);
  // The signs of the pivots of T - threshold I are those of its eigenvalues (Sylvester's law).
  size_t above = 0;
  double pivot = 1;
  double beside = 0;  // of the diagonal, in this row
  const double tiny = std::numeric_limits<double>::min();
  for (arma::uword k = 0; k < n; ++k) {
    pivot = symmetric(k, k) - threshold - (beside == 0 ? 0 : beside * beside / pivot);
    if (pivot > 0) ++above;
    if (std::abs(pivot) < tiny) pivot = -tiny;
    beside = k + 1 < n ? Reflect(symmetric, k, reflector, product) : 0;
  }
  return above;
}

ChangeSpectrum SpectrumOfChange(const WeightSummary& a, const WeightSummary& b) {
  const arma::mat change = ChangeOf(a, b);
  ChangeSpectrum spectrum;
  spectrum.full_rank = std::min({a.rows, a.columns, uint64_t{kSketchSize}});
  // Its eigenvalues are the squares s^2.
  const arma::mat gram = ProductOfColumns(change, change);
  const double energy = arma::trace(gram);
  if (energy == 0) return spectrum;
  const double level = RoundingLevel(a, b, std::max(NormOf(a.sketch), NormOf(b.sketch)));
  spectrum.rank = EigenvaluesAbove(gram, level * level);
  spectrum.effective_rank = energy * energy / arma::accu(arma::square(gram));
  return spectrum;
}

std::vector<double> FirstDirectionOfChange(const WeightSummary& a, const WeightSummary& b) {
  const arma::mat turned = ChangeOf(a, b).t();
  // The powers of C C^T tend to the projection on its first eigenvector: the 64th here.
  constexpr int kSquarings = 6;
  arma::mat power = ProductOfColumns(turned, turned);
  for (int i = 0; i < kSquarings; ++i) {
    const double scale = arma::abs(power).max();
    if (scale == 0) return {};
    power /= scale;
    power = ProductOfColumns(power, power);
  }
  const arma::vec column = power.col(power.diag().index_max());
  double squares = 0;
  for (const double value : column) squares += value * value;
  return arma::conv_to<std::vector<double>>::from(column / std::sqrt(squares));
}

}  // namespace tensorguard::internal
