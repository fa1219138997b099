#include "numerics/non_negative_least_squares.h"

#include <algorithm>
#include <vector>

namespace tensorguard::internal {
namespace {

// Of the largest correlation: a gradient this small is rounding.
constexpr double kNoGradient = 1e-10;

arma::uvec Members(const std::vector<bool>& passive) {
  std::vector<arma::uword> members;
  for (size_t i = 0; i < passive.size(); ++i) {
    if (passive[i]) members.push_back(i);
  }
  return arma::uvec(members);
}

// Moves the passive entries of x towards `target` until the first of them reaches zero, and makes
// that one active. REQUIRES: an entry of target is not positive.
void StepToBoundary(const arma::vec& target, const arma::uvec& members, arma::vec& x,
                    std::vector<bool>& passive) {
  double step = 1;
  arma::uword leaving = 0;
  for (arma::uword i = 0; i < members.n_elem; ++i) {
    if (target(i) > 0) continue;
    const double from = x(members(i));
    const double to_zero = from > 0 ? from / (from - target(i)) : 0;
    if (to_zero > step) continue;
    step = to_zero;
    leaving = members(i);
  }
  x.elem(members) += step * (target - x.elem(members));
  x(leaving) = 0;
  passive[leaving] = false;
}

}  // namespace

arma::vec SolveNonNegative(const arma::mat& gram, const arma::vec& correlations) {
  const arma::uword n = correlations.n_elem;
  arma::vec x(n, arma::fill::zeros);
  std::vector<bool> passive(n);
  const double tolerance = kNoGradient * arma::abs(correlations).max();
  // Each round adds one entry; the method ends by itself, the bound is for rounding.
  for (arma::uword round = 0; round < 3 * n; ++round) {
    arma::vec gradient = correlations - gram * x;
    for (arma::uword i = 0; i < n; ++i) {
      if (passive[i]) gradient(i) = -arma::datum::inf;
    }
    const arma::uword entering = gradient.index_max();
    if (gradient(entering) <= tolerance) break;
    passive[entering] = true;
    for (;;) {  // every round but the last takes an entry out
      const arma::uvec members = Members(passive);
      arma::vec target;
      if (members.is_empty()) break;
      if (!arma::solve(target, gram.submat(members, members), correlations.elem(members))) break;
      if (target.min() > 0) {
        x.elem(members) = target;
        break;
      }
      StepToBoundary(target, members, x, passive);
    }
  }
  return x;
}

}  // namespace tensorguard::internal
