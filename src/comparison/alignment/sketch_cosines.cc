#include "comparison/alignment/sketch_cosines.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "comparison/alignment/sketch_products.h"
#include "comparison/thresholds.h"
#include "fingerprint/kernels/row_dots.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

// Of the matrices whose cosines with all others of their kind are computed at once.
constexpr size_t kRowsAtOnce = 256;
// From so many cells on, matched ones are too few to move a median.
constexpr size_t kManyCells = 30;
// The lower quartile of a normal distribution lies so many standard deviations below its median.
constexpr double kLowerQuartile = 0.6745;

using Kinds = std::map<MatrixKind, std::vector<size_t>>;

Kinds KindsOf(const Fingerprint& model) {
  using Place = std::tuple<std::string, uint32_t, Role, uint64_t, uint64_t, bool, bool>;
  std::map<Place, size_t> seen;
  Kinds kinds;
  for (size_t i = 0; i < model.weights.size(); ++i) {
    const WeightSummary& weight = model.weights[i];
    const TensorRole& role = weight.role;
    if (!role.layer || !IsLearnedMatrix(weight) || weight.norm == 0) continue;
    if (role.expert.value_or(0) > 0) continue;
    const size_t occurrence = seen[{role.stack, *role.layer, role.role, weight.rows, weight.columns,
                                    role.shared_expert, role.cross_attention}]++;
    kinds[{.role = role.role,
           .rows = weight.rows,
           .columns = weight.columns,
           .shared_expert = role.shared_expert,
           .cross_attention = role.cross_attention,
           .occurrence = occurrence}]
        .push_back(i);
  }
  return kinds;
}

// Sketches as rows, with their norms.
struct SketchRows {
  FloatMatrix rows;
  std::vector<double> norms;
};

SketchRows RowsOfSketches(const Fingerprint& model, std::span<const size_t> weights) {
  SketchRows sketches = {
      FloatMatrix(weights.size(), model.weights[weights.front()].sketch.values().size()), {}};
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::span<const float> sketch = model.weights[weights[i]].sketch.values();
    std::copy(sketch.begin(), sketch.end(), sketches.rows.Row(i).begin());
    sketches.norms.push_back(std::sqrt(ProductsOf(sketch, sketch).aa));
  }
  return sketches;
}

// A sketch can be zero where the matrix is not: chance of a small one.
double CosineOr0(double dot, double norms) { return norms > 0 ? dot / norms : 0; }

void AddCosines(const Fingerprint& a, const Fingerprint& b, KindCosines& kind) {
  const SketchRows in_b = RowsOfSketches(b, kind.in_b);
  kind.cosines.reserve(kind.in_a.size() * kind.in_b.size());
  const std::span<const size_t> all = kind.in_a;
  for (size_t first = 0; first < all.size(); first += kRowsAtOnce) {
    const auto some = all.subspan(first, std::min(kRowsAtOnce, all.size() - first));
    const SketchRows in_a = RowsOfSketches(a, some);
    const std::vector<double> dots = RowDots(in_a.rows, in_b.rows);
    for (size_t i = 0; i < some.size(); ++i) {
      for (size_t j = 0; j < kind.in_b.size(); ++j) {
        kind.cosines.push_back(
            CosineOr0(dots[i * kind.in_b.size() + j], in_a.norms[i] * in_b.norms[j]));
      }
    }
  }
}

// Of a matrix: the share of its squared norm that lies in its mean, and in its greatest number.
struct Structure {
  double mean = 0;
  double spike = 0;
};

Structure StructureOf(const WeightSummary& weight) {
  const double squared_norm = weight.norm * weight.norm;
  if (squared_norm == 0) return {};
  const double greatest =
      std::max(std::abs(weight.quantiles.front()), std::abs(weight.quantiles.back()));
  const auto elements = static_cast<double>(weight.rows) * static_cast<double>(weight.columns);
  return {.mean = std::min(1.0, weight.mean * weight.mean * elements / squared_norm),
          .spike = std::min(1.0, greatest * greatest / squared_norm)};
}

// The largest over the layers: one matrix of that structure is enough to be taken for another's.
double CommonStructure(const Fingerprint& a, const Fingerprint& b, const KindCosines& kind) {
  Structure in_a;
  Structure in_b;
  const auto add = [](const WeightSummary& weight, Structure& most) {
    const Structure found = StructureOf(weight);
    most = {std::max(most.mean, found.mean), std::max(most.spike, found.spike)};
  };
  for (const size_t i : kind.in_a) add(a.weights[i], in_a);
  for (const size_t j : kind.in_b) add(b.weights[j], in_b);
  return std::sqrt(in_a.mean * in_b.mean) + std::sqrt(in_a.spike * in_b.spike);
}

double QuantileOf(const std::vector<double>& ascending, double share) {
  const double place = share * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, ascending.size() - 1);
  const double part = place - static_cast<double>(below);
  return ascending[below] * (1 - part) + ascending[above] * part;
}

}  // namespace

std::vector<KindCosines> CosinesOfLayers(const Fingerprint& a, const Fingerprint& b) {
  const Kinds in_a = KindsOf(a);
  Kinds in_b = KindsOf(b);
  std::vector<KindCosines> kinds;
  for (const auto& [kind, weights] : in_a) {
    const auto found = in_b.find(kind);
    if (found == in_b.end()) continue;
    KindCosines cosines = {.kind = kind,
                           .in_a = weights,
                           .in_b = std::move(found->second),
                           .deviation = IndependentDeviation(kind.rows, kind.columns)};
    AddCosines(a, b, cosines);
    cosines.structure = CommonStructure(a, b, cosines);
    kinds.push_back(std::move(cosines));
  }
  return kinds;
}

KindNull NullOf(const KindCosines& kind, const AreCounterparts& counterparts) {
  std::vector<double> cells;
  for (size_t i = 0; i < kind.in_a.size(); ++i) {
    for (size_t j = 0; j < kind.in_b.size(); ++j) {
      if (!counterparts(kind.in_a[i], kind.in_b[j])) cells.push_back(kind.At(i, j));
    }
  }
  KindNull null = {.pairs = cells.size(), .mean = kind.structure, .deviation = 1};
  if (cells.empty()) return null;
  std::sort(cells.begin(), cells.end());
  const double centre = QuantileOf(cells, 0.5);
  double spread = (centre - QuantileOf(cells, 0.25)) / kLowerQuartile;
  if (cells.size() < kManyCells) {  // quartiles of so few vary much
    double squares = 0;
    for (const double cell : cells) squares += (cell - centre) * (cell - centre);
    spread = std::sqrt(squares / static_cast<double>(cells.size()));
  }
  null.mean = std::max(centre, kind.structure);
  null.deviation = std::max(1.0, spread / kind.deviation);
  return null;
}

KindNull NullOfUnpaired(const KindCosines& kind) {
  const size_t fewest = std::min(kind.in_a.size(), kind.in_b.size());
  std::set<std::pair<size_t, size_t>> nearest;
  for (size_t i = 0; fewest < kFewestLayersForMedian && i < kind.in_a.size(); ++i) {
    size_t best = 0;
    for (size_t j = 1; j < kind.in_b.size(); ++j) {
      if (kind.At(i, j) > kind.At(i, best)) best = j;
    }
    nearest.emplace(kind.in_a[i], kind.in_b[best]);
  }
  KindNull null = NullOf(kind, [&](size_t in_a, size_t in_b) {
    return nearest.contains({in_a, in_b});
  });
  if (fewest < kFewestLayersForMedian) null.deviation = kUnmeasuredDeviation;
  return null;
}

}  // namespace tensorguard::internal
