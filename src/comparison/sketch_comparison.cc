#include "comparison/sketch_comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "comparison/thresholds.h"
#include "full_profile/row_dots.h"

namespace tensorguard {
namespace {

// Of the matrices whose cosines with all others of their kind are held at once.
constexpr size_t kNullRows = 256;

struct Products {
  double aa = 0;
  double bb = 0;
  double ab = 0;
};

// Interleaved sums that the compiler keeps in vector lanes.
Products ProductsOf(std::span<const float> a, std::span<const float> b) {
  constexpr size_t kLanes = 4;
  std::array<Products, kLanes> lanes;
  const auto add = [&](size_t lane, size_t i) {
    const double x = a[i];
    const double y = b[i];
    lanes[lane].aa += x * x;
    lanes[lane].bb += y * y;
    lanes[lane].ab += x * y;
  };
  const size_t whole = a.size() - a.size() % kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) add(lane, i + lane);
  }
  for (size_t i = whole; i < a.size(); ++i) add(0, i);
  Products sums;
  for (const Products& lane : lanes) {
    sums.aa += lane.aa;
    sums.bb += lane.bb;
    sums.ab += lane.ab;
  }
  return sums;
}

double Cosine(const Products& sums) {
  if (sums.aa == 0 && sums.bb == 0) return 1;
  if (sums.aa == 0 || sums.bb == 0) return 0;
  return sums.ab / std::sqrt(sums.aa * sums.bb);
}

// Where one side is zero, all of the other is change.
double RelativeChange(const Products& sums) {
  if (sums.aa == 0 && sums.bb == 0) return 0;
  if (sums.aa == 0 || sums.bb == 0) return 1;
  return std::sqrt(std::max(0.0, sums.aa + sums.bb - 2 * sums.ab) / std::sqrt(sums.aa * sums.bb));
}

bool SameSketchShape(const WeightSummary& a, const WeightSummary& b) {
  return a.sketch.rows() > 0 && a.sketch.rows() == b.sketch.rows() &&
         a.sketch.columns() == b.sketch.columns();
}

std::vector<SketchPair> PairSketches(const FullFingerprint& a, const FullFingerprint& b,
                                     const LayerMap& layers) {
  std::vector<SketchPair> pairs;
  for (const WeightPair& weights : PairWeights(a, b, layers)) {
    const WeightSummary& in_a = a.weights[weights.in_a];
    const WeightSummary& in_b = b.weights[weights.in_b];
    if (!SameShape(in_a, in_b) || !SameSketchShape(in_a, in_b)) continue;
    const Products sums = ProductsOf(in_a.sketch.values(), in_b.sketch.values());
    const bool equal = in_a.digest == in_b.digest;
    pairs.push_back(
        {.weights = weights,
         .cosine = Cosine(sums),
         .relative_change = equal ? 0 : RelativeChange(sums),
         .equal = equal,
         .learned = IsLearnedMatrix(in_a) && IsLearnedMatrix(in_b) && sums.aa > 0 && sums.bb > 0});
  }
  return pairs;
}

std::vector<float> RowsOf(const FloatMatrix& table, std::span<const size_t> rows) {
  std::vector<float> values;
  values.reserve(rows.size() * table.columns());
  for (const size_t row : rows) {
    const auto row_values = table.Row(row);
    values.insert(values.end(), row_values.begin(), row_values.end());
  }
  return values;
}

void CentreColumns(std::vector<float>& values, size_t columns) {
  const size_t rows = values.size() / columns;
  for (size_t column = 0; column < columns; ++column) {
    double sum = 0;
    for (size_t row = 0; row < rows; ++row) sum += values[row * columns + column];
    const double mean = sum / static_cast<double>(rows);
    for (size_t row = 0; row < rows; ++row) {
      float& value = values[row * columns + column];
      value = static_cast<float>(value - mean);
    }
  }
}

// REQUIRES: one hidden size; the probes hang on it.
std::optional<VocabularyPair> CompareTables(const FloatMatrix& a, const FloatMatrix& b,
                                            const CommonAnchors& anchors) {
  if (a.rows() == 0 || b.rows() == 0 || a.columns() != b.columns()) return std::nullopt;
  auto rows_a = RowsOf(a, anchors.in_a);
  auto rows_b = RowsOf(b, anchors.in_b);
  VocabularyPair pair{.relative_change = RelativeChange(ProductsOf(rows_a, rows_b))};
  CentreColumns(rows_a, a.columns());
  CentreColumns(rows_b, b.columns());
  pair.cosine = Cosine(ProductsOf(rows_a, rows_b));
  return pair;
}

// One role and shape, the first expert of each layer for all of them.
using MatrixKind = std::tuple<Role, uint64_t, uint64_t, bool, bool>;

struct LayerMatrix {
  std::pair<std::string, uint32_t> layer_a;
  std::pair<std::string, uint32_t> layer_b;
  WeightPair weights;
};

std::map<MatrixKind, std::vector<LayerMatrix>> GroupByKind(const FullFingerprint& a,
                                                           const FullFingerprint& b,
                                                           std::span<const SketchPair> pairs) {
  std::map<MatrixKind, std::vector<LayerMatrix>> groups;
  for (const SketchPair& pair : pairs) {
    const WeightSummary& in_a = a.weights[pair.weights.in_a];
    const WeightSummary& in_b = b.weights[pair.weights.in_b];
    if (!pair.learned || !in_a.role.layer || !in_b.role.layer) continue;
    if (in_a.role.expert.value_or(0) > 0 || in_b.role.expert.value_or(0) > 0) continue;
    groups[{in_a.role.role, in_a.rows, in_a.columns, in_a.role.shared_expert,
            in_a.role.cross_attention}]
        .push_back({.layer_a = {in_a.role.stack, *in_a.role.layer},
                    .layer_b = {in_b.role.stack, *in_b.role.layer},
                    .weights = pair.weights});
  }
  return groups;
}

struct Moments {
  size_t count = 0;
  double sum = 0;
  double squares = 0;

  void Add(double value) {
    ++count;
    sum += value;
    squares += value * value;
  }
  double Mean() const { return sum / static_cast<double>(count); }
  double Deviation() const {
    return std::sqrt(std::max(0.0, squares / static_cast<double>(count) - Mean() * Mean()));
  }
};

struct Null {
  Moments cosines;
  Moments standardised;  // over IndependentDeviation
};

// Sketches as rows, with their norms. REQUIRES: none is all zero, as learned ones are not.
struct SketchRows {
  FloatMatrix rows;
  std::vector<double> norms;
};

template <typename SketchOf>
SketchRows RowsOfSketches(std::span<const LayerMatrix> matrices, const SketchOf& sketch_of) {
  SketchRows sketches = {FloatMatrix(matrices.size(), sketch_of(matrices.front()).size()), {}};
  for (size_t i = 0; i < matrices.size(); ++i) {
    const std::span<const float> sketch = sketch_of(matrices[i]);
    std::copy(sketch.begin(), sketch.end(), sketches.rows.Row(i).begin());
    sketches.norms.push_back(std::sqrt(ProductsOf(sketch, sketch).aa));
  }
  return sketches;
}

void AddNullCosines(const FullFingerprint& a, const FullFingerprint& b,
                    std::span<const LayerMatrix> matrices, Null& null) {
  const WeightSummary& weight = a.weights[matrices.front().weights.in_a];
  const double deviation = IndependentDeviation(weight.rows, weight.columns);
  const SketchRows in_b = RowsOfSketches(matrices, [&](const LayerMatrix& matrix) {
    return b.weights[matrix.weights.in_b].sketch.values();
  });
  for (size_t first = 0; first < matrices.size(); first += kNullRows) {
    const auto some = matrices.subspan(first, std::min(kNullRows, matrices.size() - first));
    const SketchRows in_a = RowsOfSketches(some, [&](const LayerMatrix& matrix) {
      return a.weights[matrix.weights.in_a].sketch.values();
    });
    const std::vector<double> dots = RowDots(in_a.rows, in_b.rows);
    for (size_t i = 0; i < some.size(); ++i) {
      for (size_t j = 0; j < matrices.size(); ++j) {
        if (some[i].layer_a == matrices[j].layer_a || some[i].layer_b == matrices[j].layer_b) {
          continue;
        }
        const double cosine = dots[i * matrices.size() + j] / (in_a.norms[i] * in_b.norms[j]);
        null.cosines.Add(cosine);
        null.standardised.Add(cosine / deviation);
      }
    }
  }
}

// Matrices of one kind from layers that are not mapped to each other.
Null NullCosines(const FullFingerprint& a, const FullFingerprint& b,
                 std::span<const SketchPair> pairs) {
  Null null;
  for (const auto& [kind, matrices] : GroupByKind(a, b, pairs)) {
    AddNullCosines(a, b, matrices, null);
  }
  return null;
}

struct Part {
  double cosine = 0;
  double deviation = 0;  // IndependentDeviation of its matrices
};

// Per role and layer; the experts of a layer are one part.
std::vector<Part> PartCosines(const FullFingerprint& a, std::span<const SketchPair> pairs) {
  using PartKey = std::tuple<std::string, std::optional<uint32_t>, Role, bool, bool>;
  std::map<PartKey, std::pair<Moments, double>> sums;
  for (const SketchPair& pair : pairs) {
    if (!pair.learned) continue;
    const WeightSummary& weight = a.weights[pair.weights.in_a];
    const TensorRole& role = weight.role;
    auto& [cosines, deviation] =
        sums[{role.stack, role.layer, role.role, role.shared_expert, role.cross_attention}];
    cosines.Add(pair.cosine);
    deviation = IndependentDeviation(weight.rows, weight.columns);
  }
  std::vector<Part> parts;
  for (const auto& [key, sum] : sums) {
    parts.push_back({.cosine = sum.first.Mean(), .deviation = sum.second});
  }
  return parts;
}

void TestAgainstNull(const std::vector<Part>& parts, const Null& null,
                     SketchComparison& comparison) {
  const bool measured = null.cosines.count >= kFewestNullPairs;
  comparison.null_pairs = null.cosines.count;
  comparison.null_mean = measured ? null.cosines.Mean() : 0;
  // Never below the theory's value: a measured one may be small by chance.
  comparison.null_deviation =
      measured ? std::max(1.0, null.standardised.Deviation()) : kUnmeasuredDeviation;
  comparison.parts = parts.size();
  if (parts.empty()) return;
  Moments cosines;
  Moments standardised;
  size_t outstanding = 0;
  size_t copied = 0;
  for (const Part& part : parts) {
    const double distance =
        (part.cosine - comparison.null_mean) / (part.deviation * comparison.null_deviation);
    cosines.Add(part.cosine);
    standardised.Add(distance);
    if (distance > 3) ++outstanding;
    if (part.cosine >= kCopiedMatrixCosine) ++copied;
  }
  const auto count = static_cast<double>(parts.size());
  const double null_share = measured ? 1 / static_cast<double>(null.cosines.count) : 0;
  comparison.cosine = cosines.Mean();
  comparison.outstanding_share = static_cast<double>(outstanding) / count;
  comparison.copied_share = static_cast<double>(copied) / count;
  comparison.z = standardised.Mean() / std::sqrt(1 / count + null_share);
  comparison.p_value = std::erfc(comparison.z / std::sqrt(2.0)) / 2;
}

}  // namespace

double IndependentDeviation(uint64_t rows, uint64_t columns) {
  const auto kept = [](uint64_t length) {
    const auto n = static_cast<double>(length);
    return n * kSketchSize / (n + kSketchSize);
  };
  return 1 / std::sqrt(kept(rows) * kept(columns));
}

SketchComparison CompareSketches(const FullFingerprint& a, const FullFingerprint& b,
                                 const LayerMap& layers, const CommonAnchors& anchors) {
  SketchComparison comparison;
  comparison.pairs = PairSketches(a, b, layers);
  if (anchors.obstacle.empty() && a.hidden_size == b.hidden_size) {
    comparison.embedding = CompareTables(a.embedding_sketch, b.embedding_sketch, anchors);
    comparison.head = CompareTables(a.head_sketch, b.head_sketch, anchors);
  }
  TestAgainstNull(PartCosines(a, comparison.pairs), NullCosines(a, b, comparison.pairs),
                  comparison);
  return comparison;
}

}  // namespace tensorguard
