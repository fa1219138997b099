#include "frame/unit_comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "frame/frame_map.h"

namespace tensorguard::internal {
namespace {

// Maps are sought with the loudest units alone, and only the best are refined.
constexpr size_t kSeekingUnits = 64;
constexpr size_t kRefinedStarts = 3;
constexpr size_t kMostStarts = 64;
constexpr int kRounds = 4;
// Layers that agree less than this are not what a map is refined on, and if no layer agrees more,
// not all of them are compared with all: strangers have 0.05.
constexpr double kPromising = 0.08;
// Fewer tokens do not fit a map.
constexpr size_t kFewestTokens = 24;

using Pairs = std::vector<std::pair<size_t, size_t>>;  // layers, in FrameForms::layers
using Table = arma::mat;  // [layers of a, layers of b]; 0 where nothing could be compared

// A layer's units as matrices, at unit norm.
struct Units {
  arma::mat gates;
  arma::mat ups;
  arma::mat downs;

  // What decides whether a unit writes.
  const arma::mat& opening() const { return gates.is_empty() ? ups : gates; }
};

arma::mat RowsOf(const FloatMatrix& rows, size_t axes, size_t most) {
  if (rows.values().empty()) return {};
  arma::mat matrix(std::min(rows.rows(), most), axes);
  for (arma::uword row = 0; row < matrix.n_rows; ++row) {
    for (arma::uword i = 0; i < axes; ++i) matrix(row, i) = rows.Row(row)[i];
    const double norm = arma::norm(matrix.row(row));
    if (norm > 0) matrix.row(row) /= norm;
  }
  return matrix;
}

Units UnitsOf(const FrameUnits& units, size_t axes, size_t most) {
  return {.gates = RowsOf(units.gates, axes, most),
          .ups = RowsOf(units.ups, axes, most),
          .downs = RowsOf(units.downs, axes, most)};
}

std::vector<Units> UnitsOf(const FrameForms& forms, size_t axes, size_t most) {
  std::vector<Units> all;
  for (const LayerForms& layer : forms.layers) all.push_back(UnitsOf(layer.units, axes, most));
  return all;
}

Units Turned(const arma::mat& map, const Units& units) {
  const arma::mat turn = map.t();
  Units mapped;
  if (!units.gates.is_empty()) mapped.gates = units.gates * turn;
  if (!units.ups.is_empty()) mapped.ups = units.ups * turn;
  if (!units.downs.is_empty()) mapped.downs = units.downs * turn;
  return mapped;
}

std::vector<Units> Turned(const arma::mat& map, const std::vector<Units>& units) {
  std::vector<Units> mapped;
  for (const Units& layer : units) mapped.push_back(Turned(map, layer));
  return mapped;
}

bool Comparable(const Units& a, const Units& b) {
  return a.ups.n_rows >= kFewestUnits && b.ups.n_rows >= kFewestUnits &&
         a.gates.is_empty() == b.gates.is_empty();
}

// Rows and columns that are each other's largest.
std::vector<std::pair<arma::uword, arma::uword>> MutuallyNearest(const arma::mat& cosines) {
  const arma::ucolvec of_row = arma::index_max(cosines, 1);
  const arma::urowvec of_column = arma::index_max(cosines, 0);
  std::vector<std::pair<arma::uword, arma::uword>> pairs;
  for (arma::uword row = 0; row < cosines.n_rows; ++row) {
    if (of_column(of_row(row)) == row) pairs.emplace_back(row, of_row(row));
  }
  return pairs;
}

// `b` is mapped already.
double Agreement(const Units& a, const Units& b) {
  const auto pairs = MutuallyNearest(a.opening() * b.opening().t());
  double sum = 0;
  for (const auto& [i, j] : pairs) {
    const double down = arma::dot(a.downs.row(i), b.downs.row(j));
    // The signs of up and down of a gated unit mean nothing one by one.
    sum += a.gates.is_empty() ? down : down * arma::dot(a.ups.row(i), b.ups.row(j));
  }
  return sum / static_cast<double>(std::min(a.ups.n_rows, b.ups.n_rows));
}

// The orthogonal map nearest to `products`; empty where there is none.
arma::mat NearestMap(const arma::mat& products) {
  if (!products.is_finite() || arma::abs(products).max() == 0) return {};
  return NearestOrthogonal(products);
}

// A unit of a and one of b that are taken for each other.
struct UnitPair {
  arma::uword a = 0;
  arma::uword b = 0;
  double weight = 0;
  double sign = 1;  // of up and down
};

// By all that units read and write; `b` is mapped already.
std::vector<UnitPair> TakenForEachOther(const Units& a, const Units& b) {
  const bool gated = !a.gates.is_empty();
  const arma::mat sides = a.ups * b.ups.t() + a.downs * b.downs.t();
  const arma::mat cosines = gated ? arma::mat(a.gates * b.gates.t() + arma::abs(sides)) : sides;
  const double most = gated ? 3 : 2;
  std::vector<UnitPair> pairs;
  for (const auto& [i, j] : MutuallyNearest(cosines)) {
    const double near = std::clamp(cosines(i, j) / most, 0.0, 1.0);
    pairs.push_back({i, j, near * near, gated && sides(i, j) < 0 ? -1.0 : 1.0});
  }
  return pairs;
}

// What the orthogonal map is nearest to that brings the units of b to those of a.
void AddProducts(const Units& a, const Units& b, const std::vector<UnitPair>& pairs,
                 arma::mat& products) {
  for (const UnitPair& pair : pairs) {
    if (!a.gates.is_empty()) {
      products += pair.weight * (a.gates.row(pair.a).t() * b.gates.row(pair.b));
    }
    const double signed_weight = pair.sign * pair.weight;
    products += signed_weight * (a.ups.row(pair.a).t() * b.ups.row(pair.b));
    products += signed_weight * (a.downs.row(pair.a).t() * b.downs.row(pair.b));
  }
}

// The units of two models along some of the axes.
class Seeking {
 public:
  Seeking(const FrameForms& a, const FrameForms& b, size_t axes, size_t units)
      : axes_(axes), a_(UnitsOf(a, axes, units)), b_(UnitsOf(b, axes, units)) {}

  size_t axes() const { return axes_; }
  const std::vector<Units>& a() const { return a_; }
  const std::vector<Units>& b() const { return b_; }

  bool AnyComparable() const {
    return std::ranges::any_of(a_, [&](const Units& a) {
      return std::ranges::any_of(b_, [&](const Units& b) { return Comparable(a, b); });
    });
  }

  // The best agreement among the pairs.
  double Best(const arma::mat& map, const Pairs& pairs) const {
    double best = 0;
    for (const auto& [i, j] : pairs) {
      if (!Comparable(a_[i], b_[j])) continue;
      best = std::max(best, Agreement(a_[i], Turned(map, b_[j])));
    }
    return best;
  }

  Table All(const arma::mat& map) const {
    const auto turned = Turned(map, b_);
    Table table(a_.size(), b_.size(), arma::fill::zeros);
    for (size_t i = 0; i < a_.size(); ++i) {
      for (size_t j = 0; j < turned.size(); ++j) {
        if (Comparable(a_[i], turned[j])) table(i, j) = Agreement(a_[i], turned[j]);
      }
    }
    return table;
  }

  arma::mat Refined(arma::mat map, const Pairs& pairs) const {
    for (int round = 0; round < kRounds; ++round) {
      arma::mat next = NearestMap(Products(map, pairs, *this));
      if (next.is_empty()) break;
      map = std::move(next);
    }
    return map;
  }

  // The map along the axes of `more`, from the units that are taken for each other along these.
  arma::mat Lifted(const arma::mat& map, const Pairs& pairs, const Seeking& more) const {
    return NearestMap(Products(map, pairs, more));
  }

 private:
  arma::mat Products(const arma::mat& map, const Pairs& pairs, const Seeking& along) const {
    arma::mat products(along.axes_, along.axes_, arma::fill::zeros);
    for (const auto& [i, j] : pairs) {
      if (!Comparable(a_[i], b_[j])) continue;
      AddProducts(along.a_[i], along.b_[j], TakenForEachOther(a_[i], Turned(map, b_[j])), products);
    }
    return products;
  }

  size_t axes_;
  std::vector<Units> a_;
  std::vector<Units> b_;
};

struct Start {
  arma::mat map;
  Pairs pairs;
  double agreement = 0;
};

void AddForms(size_t half, const LayerFeatures& a, const LayerFeatures& b,
              std::vector<FormPair>& pairs) {
  for (const size_t kind : kKindsOfHalves[half]) {
    if (a.forms[kind].empty() || b.forms[kind].empty()) continue;
    pairs.push_back({&a.forms[kind], &b.forms[kind]});
  }
}

// One start from all layers of a matching, one from each of its feed-forwards with the attention
// that its layer is matched by.
void AddStarts(const HalfFeatures& a, const HalfFeatures& b, const LayerMatching& matching,
               size_t axes, std::set<std::pair<size_t, size_t>>& known,
               std::vector<Start>& starts) {
  const auto add = [&](const std::vector<FormPair>& forms, Pairs pairs) {
    if (forms.empty() || pairs.empty()) return;
    arma::mat map = FitFrameMap(forms, axes);
    if (!map.is_empty()) starts.push_back({.map = std::move(map), .pairs = std::move(pairs)});
  };
  std::vector<FormPair> all;
  Pairs all_pairs;
  for (size_t half = 0; half < kLayerHalves; ++half) {
    for (const auto& [i, j] : matching[half]) AddForms(half, a[half][i], b[half][j], all);
  }
  for (const auto& [i, j] : matching[1]) {
    all_pairs.emplace_back(a[1][i].layer, b[1][j].layer);
  }
  add(all, all_pairs);
  for (const auto& [i, j] : matching[1]) {
    const std::pair<size_t, size_t> layers = {a[1][i].layer, b[1][j].layer};
    if (starts.size() >= kMostStarts || !known.insert(layers).second) continue;
    std::vector<FormPair> forms;
    AddForms(1, a[1][i], b[1][j], forms);
    for (const auto& [k, l] : matching[0]) {
      if (a[0][k].layer == layers.first) AddForms(0, a[0][k], b[0][l], forms);
    }
    add(forms, {layers});
  }
}

// Best partners of the layers that agree at least so much.
Pairs Partners(const Table& table, double least) {
  Pairs pairs;
  for (arma::uword i = 0; i < table.n_rows; ++i) {
    const arma::uword j = table.row(i).index_max();
    if (table(i, j) >= least) pairs.emplace_back(i, j);
  }
  return pairs;
}

struct Found {
  arma::mat map;
  double sum = 0;
};

// Of the maps that the forms give, along the axes of the forms, the best, refined along all axes.
std::optional<Found> FromForms(const ComparedModel& a, const ComparedModel& b,
                               std::span<const LayerMatching> matchings, const Seeking& all) {
  const size_t axes = std::min(a.forms.axes, b.forms.axes);
  const Seeking leading(a.forms, b.forms, axes, kSeekingUnits);
  std::vector<Start> starts;
  std::set<std::pair<size_t, size_t>> known;
  for (const LayerMatching& matching : matchings) {
    AddStarts(a.features, b.features, matching, axes, known, starts);
  }
  for (Start& start : starts) start.agreement = leading.Best(start.map, start.pairs);
  std::ranges::stable_sort(starts, std::ranges::greater{}, &Start::agreement);
  std::optional<Found> best;
  for (size_t i = 0; i < std::min(starts.size(), kRefinedStarts); ++i) {
    const arma::mat map = leading.Refined(starts[i].map, starts[i].pairs);
    if (leading.Best(map, starts[i].pairs) < kPromising) continue;
    const auto pairs = Partners(leading.All(map), kPromising);
    const arma::mat lifted = leading.Lifted(map, pairs, all);
    if (lifted.is_empty()) continue;
    Found found = {.map = all.Refined(lifted, pairs)};
    found.sum = arma::accu(arma::max(all.All(found.map), 1));
    if (!best || found.sum > best->sum) best = std::move(found);
  }
  return best;
}

// Rows at unit norm, freed of their mean.
arma::mat TokensOf(const FloatMatrix& rows, const std::vector<size_t>& places, size_t axes) {
  arma::mat tokens(places.size(), axes);
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t k = 0; k < axes; ++k) tokens(i, k) = rows.Row(places[i])[k];
  }
  tokens.each_row() -= arma::mean(tokens, 0);
  for (arma::uword i = 0; i < tokens.n_rows; ++i) {
    const double norm = arma::norm(tokens.row(i));
    if (norm > 0) tokens.row(i) /= norm;
  }
  return tokens;
}

// The map that brings the tokens of b to those of a, refined on units.
std::optional<Found> FromTokens(const FrameForms& a, const FrameForms& b,
                                const CommonTokens& tokens, const Seeking& all) {
  if (tokens.in_a.size() < kFewestTokens) return std::nullopt;
  arma::mat products(all.axes(), all.axes(), arma::fill::zeros);
  for (FloatMatrix FrameForms::*side : {&FrameForms::token_inputs, &FrameForms::token_outputs}) {
    if ((a.*side).values().empty() || (b.*side).values().empty()) continue;
    products +=
        TokensOf(a.*side, tokens.in_a, all.axes()).t() * TokensOf(b.*side, tokens.in_b, all.axes());
  }
  Found found = {.map = NearestMap(products)};
  if (found.map.is_empty()) return std::nullopt;
  found.map = all.Refined(found.map, Partners(all.All(found.map), 0));
  found.sum = arma::accu(arma::max(all.All(found.map), 1));
  return found;
}

double CosineOf(const LayerFeatures& a, const LayerFeatures& b, const arma::mat& map) {
  double sum = 0;
  int kinds = 0;
  for (const size_t kind : kKindsOfHalves[0]) {
    if (a.forms[kind].empty() || b.forms[kind].empty()) continue;
    const FormFeature mapped = Mapped(map, b.forms[kind]);
    sum += std::inner_product(a.forms[kind].begin(), a.forms[kind].end(), mapped.begin(), 0.0);
    ++kinds;
  }
  return kinds == 0 ? 0 : sum / kinds;
}

// What a map along the units' axes is along those of the forms.
arma::mat OfForms(const arma::mat& map, size_t axes) {
  return NearestMap(map.submat(0, 0, axes - 1, axes - 1));
}

// Of each layer of a that has an attention, the nearest in b under a map that knows only units.
std::vector<FrameMatch> NearestAttention(const HalfFeatures& a, const HalfFeatures& b,
                                         const arma::mat& map) {
  std::vector<FrameMatch> matches;
  if (map.is_empty()) return matches;
  for (const LayerFeatures& in_a : a[0]) {
    FrameMatch best = {.layer_a = in_a.layer, .layer_b = 0, .cosine = -1};
    for (const LayerFeatures& in_b : b[0]) {
      const double cosine = CosineOf(in_a, in_b, map);
      if (cosine > best.cosine) best = {in_a.layer, in_b.layer, cosine};
    }
    if (best.cosine > 0) matches.push_back(best);
  }
  return matches;
}

UnitComparison Summarise(const Table& table) {
  UnitComparison comparison;
  const auto add = [&](const Table& of, std::vector<FrameMatch>& matches) {
    double sum = 0;
    for (arma::uword i = 0; i < of.n_rows; ++i) {
      const arma::uword j = of.row(i).index_max();
      matches.push_back({.layer_a = i, .layer_b = j, .cosine = of(i, j)});
      comparison.best = std::max(comparison.best, of(i, j));
      sum += std::max(0.0, of(i, j));
    }
    return sum;
  };
  const double in_a = add(table, comparison.of_a);
  const double in_b = add(table.t(), comparison.of_b);
  for (FrameMatch& match : comparison.of_b) std::swap(match.layer_a, match.layer_b);
  double off = 0;
  double count = 0;
  for (arma::uword i = 0; i < table.n_rows; ++i) {
    for (arma::uword j = 0; j < table.n_cols; ++j) {
      if (comparison.of_a[i].layer_b == j || comparison.of_b[j].layer_a == i) continue;
      off += table(i, j);
      ++count;
    }
  }
  if (count > 0) comparison.off = std::max(0.0, off / count);
  // Of the shallower model: what was repeated or put between takes nothing away.
  comparison.score = table.n_rows <= table.n_cols ? in_a / static_cast<double>(table.n_rows)
                                                  : in_b / static_cast<double>(table.n_cols);
  return comparison;
}

}  // namespace

std::optional<double> UnitAgreement(const FrameUnits& a, const FrameUnits& b,
                                    const arma::mat& map) {
  const Units of_a = UnitsOf(a, map.n_rows, kMostFrameUnits);
  const Units of_b = UnitsOf(b, map.n_cols, kMostFrameUnits);
  if (!Comparable(of_a, of_b)) return std::nullopt;
  return Agreement(of_a, Turned(map, of_b));
}

std::optional<UnitComparison> CompareUnits(const ComparedModel& a, const ComparedModel& b,
                                           std::span<const LayerMatching> matchings,
                                           const CommonTokens& tokens) {
  const Seeking all(a.forms, b.forms, std::min(a.forms.unit_axes, b.forms.unit_axes),
                    kSeekingUnits);
  if (!all.AnyComparable()) return std::nullopt;
  auto best = FromForms(a, b, matchings, all);
  auto by_tokens = FromTokens(a.forms, b.forms, tokens, all);
  if (by_tokens && (!best || by_tokens->sum > best->sum)) best = std::move(by_tokens);
  if (!best) return UnitComparison{};
  const Seeking whole(a.forms, b.forms, all.axes(), kMostFrameUnits);
  const arma::mat map = whole.Refined(best->map, Partners(all.All(best->map), kPromising));
  UnitComparison comparison = Summarise(whole.All(map));
  comparison.attention =
      NearestAttention(a.features, b.features, OfForms(map, std::min(a.forms.axes, b.forms.axes)));
  return comparison;
}

}  // namespace tensorguard::internal
