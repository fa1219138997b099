#include "independence/stream/neighbour_contrasts.h"

#include <algorithm>
#include <cmath>

#include "independence/statistics/unit_similarity.h"

namespace tensorguard::internal {
namespace {

void AddContrasts(const arma::fmat& a, const arma::fmat& b,
                  std::vector<NeighbourContrast>* contrasts) {
  const arma::uword hidden = std::min(a.n_rows, b.n_rows);
  const arma::uword units = 2 * contrasts->size();
  if (units == 0) return;
  const arma::fmat unit_a = AtUnitLength(a.submat(0, 0, hidden - 1, units - 1));
  const arma::fmat unit_b = AtUnitLength(b.submat(0, 0, hidden - 1, units - 1));
  for (size_t pair = 0; pair < contrasts->size(); ++pair) {
    const float* a_left = unit_a.colptr(2 * pair);
    const float* a_right = unit_a.colptr(2 * pair + 1);
    const float* b_left = unit_b.colptr(2 * pair);
    const float* b_right = unit_b.colptr(2 * pair + 1);
    double product = 0.0;
    double length_a = 0.0;
    double length_b = 0.0;
    for (arma::uword i = 0; i < hidden; ++i) {
      const double difference_a = static_cast<double>(a_left[i]) - static_cast<double>(a_right[i]);
      const double difference_b = static_cast<double>(b_left[i]) - static_cast<double>(b_right[i]);
      product += difference_a * difference_b;
      length_a += difference_a * difference_a;
      length_b += difference_b * difference_b;
    }
    (*contrasts)[pair].value += product;
    (*contrasts)[pair].largest += std::sqrt(length_a * length_b);
  }
}

}  // namespace

std::vector<NeighbourContrast> NeighbourContrasts(const UnitVectors& a, const UnitVectors& b) {
  std::vector<NeighbourContrast> contrasts(std::min(a.up.n_cols, b.up.n_cols) / 2);
  if (a.has_gate() && b.has_gate()) AddContrasts(a.gate, b.gate, &contrasts);
  AddContrasts(a.up, b.up, &contrasts);
  AddContrasts(a.down, b.down, &contrasts);
  return contrasts;
}

}  // namespace tensorguard::internal
