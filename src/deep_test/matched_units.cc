#include "deep_test/matched_units.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "deep_test/linear_assignment.h"
#include "deep_test/seeded_bits.h"
#include "deep_test/unit_similarity.h"

namespace tensorguard {
namespace {

// The matrices of a block in the order in which they are compared; the first is matched as it is.
struct NamedColumns {
  const arma::fmat* a = nullptr;
  const arma::fmat* b = nullptr;
  std::string_view with_first;
};

std::vector<NamedColumns> MatricesToMatch(const UnitVectors& a, const UnitVectors& b) {
  if (a.has_gate() && b.has_gate()) {
    return {
        {&a.gate, &b.gate, ""}, {&a.up, &b.up, "gate and up"}, {&a.down, &b.down, "gate and down"}};
  }
  return {{&a.up, &b.up, ""}, {&a.down, &b.down, "up and down"}};
}

arma::uvec EvenlySpaced(arma::uword count, arma::uword limit) {
  const arma::uword chosen = std::min(count, limit);
  arma::uvec indices(chosen);
  for (arma::uword i = 0; i < chosen; ++i) indices[i] = i * count / chosen;
  return indices;
}

// Columns of `few` matched to columns of `many`: the partner of each, in the order of `few`.
std::vector<uint32_t> Match(const arma::fmat& few, const arma::fmat& many, bool any_sign,
                            uint64_t seed, unsigned threads) {
  const auto rows = SeededOrder(static_cast<uint32_t>(few.n_cols), SeededBits(seed, 0));
  const auto columns = SeededOrder(static_cast<uint32_t>(many.n_cols), SeededBits(seed, 1));
  const arma::fmat cosines = TransposedProduct(many, few, threads);
  FloatMatrix costs(rows.size(), columns.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    const float* cosine = cosines.colptr(rows[row]);
    const auto out = costs.Row(row);
    for (size_t column = 0; column < columns.size(); ++column) {
      const float value = cosine[columns[column]];
      out[column] = any_sign ? -std::abs(value) : -value;
    }
  }
  const std::vector<uint32_t> assigned = AssignColumns(costs);
  std::vector<uint32_t> partner(rows.size());
  for (size_t row = 0; row < rows.size(); ++row) partner[rows[row]] = columns[assigned[row]];
  return partner;
}

// The columns of one matrix as they are matched: what the first one predicts taken out, in the
// shared space, at unit length.
arma::fmat Prepared(const arma::fmat& columns, const arma::fmat* first, const arma::fmat& map,
                    unsigned threads) {
  arma::fmat mapped = TransposedProduct(map, columns, threads);
  if (first != nullptr) mapped = WithoutPredictable(mapped, *first, threads);
  return AtUnitLength(std::move(mapped));
}

}  // namespace

std::vector<Agreement> MatchUnits(const UnitVectors& a, const UnitVectors& b,
                                  const ResidualMaps& maps, const MatchingOptions& options) {
  const auto matrices = MatricesToMatch(a, b);
  const bool a_is_few = a.up.n_cols <= b.up.n_cols;
  const arma::uvec matched = EvenlySpaced(std::min(a.up.n_cols, b.up.n_cols), kMatchedUnits);
  std::vector<Agreement> agreements;
  std::vector<uint32_t> first_partner;
  for (size_t i = 0; i < matrices.size(); ++i) {
    const bool is_first = i == 0;
    arma::fmat few =
        Prepared(*matrices[i].a, is_first ? nullptr : matrices[0].a, maps.a, options.threads);
    arma::fmat many =
        Prepared(*matrices[i].b, is_first ? nullptr : matrices[0].b, maps.b, options.threads);
    if (few.is_zero() || many.is_zero()) return {};
    if (!a_is_few) std::swap(few, many);
    const bool any_sign = matrices.size() == 3 && !is_first;
    auto partner = Match(arma::fmat(few.cols(matched)), many, any_sign, SeededBits(options.seed, i),
                         options.threads);
    if (is_first) {
      first_partner = std::move(partner);
      continue;
    }
    Agreement agreement{.matrices = matrices[i].with_first, .units = matched.n_elem};
    for (size_t unit = 0; unit < matched.n_elem; ++unit) {
      if (partner[unit] == first_partner[unit]) ++agreement.agreeing;
    }
    agreements.push_back(agreement);
  }
  return agreements;
}

}  // namespace tensorguard
