#include "comparison/change_spectrum.h"

#include <algorithm>
#include <armadillo>
#include <cmath>

#include "comparison/thresholds.h"
#include "comparison/weight_agreement.h"

namespace tensorguard {
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

}  // namespace

ChangeSpectrum SpectrumOfChange(const WeightSummary& a, const WeightSummary& b) {
  const arma::mat in_a = ToMatrix(a.sketch);
  const arma::mat in_b = ToMatrix(b.sketch);
  const arma::mat change = in_b - in_a;
  arma::mat left;
  arma::mat right;
  arma::vec values;
  ChangeSpectrum spectrum;
  spectrum.full_rank = std::min({a.rows, a.columns, uint64_t{kSketchSize}});
  if (!arma::svd_econ(left, values, right, change, "left")) return spectrum;
  const double level =
      RoundingLevel(a, b, std::max(arma::norm(in_a, "fro"), arma::norm(in_b, "fro")));
  spectrum.rank = arma::accu(values > level);
  const arma::vec squares = arma::square(values);
  const double energy = arma::accu(squares);
  if (energy == 0) return spectrum;
  spectrum.effective_rank = energy * energy / arma::accu(arma::square(squares));
  spectrum.first_direction = arma::conv_to<std::vector<double>>::from(left.col(0));
  return spectrum;
}

}  // namespace tensorguard
