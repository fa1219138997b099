#include "frame/frame_map.h"

#include <algorithm>
#include <cmath>

namespace tensorguard::internal {
namespace {

constexpr int kSignRounds = 30;
constexpr int kRounds = 8;
// A round that turns the map by less than this is the last.
constexpr double kStill = 1e-3;

arma::mat AsMatrix(const FormFeature& form, size_t axes) {
  arma::mat matrix(axes, axes);
  for (size_t i = 0; i < form.size(); ++i) matrix(i / axes, i % axes) = form[i];
  return matrix;
}

arma::vec SignsOf(const arma::vec& values) {
  arma::vec signs = arma::sign(values);
  signs.elem(arma::find(signs == 0)).ones();
  return signs;
}

// Signs s with large s' S s.
bool FitSigns(const std::vector<FormPair>& pairs, size_t axes, arma::vec& signs) {
  arma::mat sum(axes, axes, arma::fill::zeros);
  for (const FormPair& pair : pairs) {
    for (size_t i = 0; i < pair.a->size(); ++i) {
      sum(i / axes, i % axes) += static_cast<double>((*pair.a)[i]) * (*pair.b)[i];
    }
  }
  sum += arma::mat(sum.t());
  arma::vec shares;
  arma::mat turns;
  if (!arma::eig_sym(shares, turns, sum)) return false;
  signs = SignsOf(turns.tail_cols(1));
  for (int round = 0; round < kSignRounds; ++round) {
    const arma::vec next = SignsOf(sum * signs - sum.diag() % signs);
    if (arma::approx_equal(next, signs, "absdiff", 0.5)) break;
    signs = next;
  }
  return true;
}

}  // namespace

arma::mat FitFrameMap(const std::vector<FormPair>& pairs, size_t axes) {
  arma::vec signs;
  if (!FitSigns(pairs, axes, signs)) return {};
  // A and A' side by side; B' and B, too: one product for all pairs.
  arma::mat left(axes, 2 * pairs.size() * axes);
  arma::mat right(axes, left.n_cols);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const arma::mat a = AsMatrix(*pairs[i].a, axes);
    const arma::mat b = AsMatrix(*pairs[i].b, axes);
    left.cols(2 * i * axes, (2 * i + 1) * axes - 1) = a;
    left.cols((2 * i + 1) * axes, (2 * i + 2) * axes - 1) = a.t();
    right.cols(2 * i * axes, (2 * i + 1) * axes - 1) = b.t();
    right.cols((2 * i + 1) * axes, (2 * i + 2) * axes - 1) = b;
  }
  arma::mat map = arma::diagmat(signs);
  arma::mat stacked(left.n_cols, axes);
  for (int round = 0; round < kRounds; ++round) {
    const arma::mat mapped = map * right;
    for (size_t block = 0; block < 2 * pairs.size(); ++block) {
      stacked.rows(block * axes, (block + 1) * axes - 1) =
          mapped.cols(block * axes, (block + 1) * axes - 1);
    }
    const arma::mat next = NearestOrthogonal(left * stacked);
    if (next.is_empty()) return {};
    const double change = arma::abs(next - map).max();
    map = next;
    if (change < kStill) break;
  }
  return map;
}

arma::mat NearestOrthogonal(const arma::mat& products) {
  arma::mat u;
  arma::mat v;
  arma::vec values;
  if (!arma::svd(u, values, v, products)) return {};
  return u * v.t();
}

FormFeature Mapped(const arma::mat& map, const FormFeature& form) {
  const size_t axes = map.n_rows;
  const arma::mat mapped = map * AsMatrix(form, axes) * map.t();
  FormFeature result(form.size());
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<float>(mapped(i / axes, i % axes));
  }
  return result;
}

}  // namespace tensorguard::internal
