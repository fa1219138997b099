#include "comparison/alignment/sketch_comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "comparison/alignment/sketch_products.h"
#include "comparison/thresholds.h"
#include "fingerprint/learned_matrix.h"

namespace tensorguard::internal {
namespace {

// Variance of a median over that of a mean, of normal numbers.
constexpr double kMedianVariance = 1.571;

bool SameSketchShape(const WeightSummary& a, const WeightSummary& b) {
  return a.sketch.rows() > 0 && a.sketch.rows() == b.sketch.rows() &&
         a.sketch.columns() == b.sketch.columns();
}

std::vector<SketchPair> PairSketches(const Fingerprint& a, const Fingerprint& b,
                                     const LayerMap& layers) {
  std::vector<SketchPair> pairs;
  for (const WeightPair& weights : PairWeights(a, b, layers)) {
    const WeightSummary& in_a = a.weights[weights.in_a];
    const WeightSummary& in_b = b.weights[weights.in_b];
    if (!SameShape(in_a, in_b) || !SameSketchShape(in_a, in_b)) continue;
    const SketchProducts sums = ProductsOf(in_a.sketch.values(), in_b.sketch.values());
    const bool equal = in_a.digest == in_b.digest;
    pairs.push_back(
        {.weights = weights,
         .cosine = CosineOf(sums),
         .relative_change = equal ? 0 : RelativeChangeOf(sums),
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
  VocabularyPair pair{.relative_change = RelativeChangeOf(ProductsOf(rows_a, rows_b))};
  CentreColumns(rows_a, a.columns());
  CentreColumns(rows_b, b.columns());
  pair.cosine = CosineOf(ProductsOf(rows_a, rows_b));
  return pair;
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

// What independent models have in common, by role and shape, under one pairing of the layers.
struct Null {
  std::map<MatrixKind, KindNull> kinds;
  size_t pairs = 0;
  double mean = 0;       // over all pairs
  double deviation = 1;  // likewise, over IndependentDeviation
};

// Matrices of layers that are not mapped to each other.
Null NullBeside(std::span<const KindCosines> kinds, std::span<const SketchPair> pairs) {
  std::set<std::pair<size_t, size_t>> paired;
  for (const SketchPair& pair : pairs) paired.emplace(pair.weights.in_a, pair.weights.in_b);
  Null null;
  double means = 0;
  double squares = 0;
  for (const KindCosines& kind : kinds) {
    const KindNull found = NullOf(kind, [&](size_t in_a, size_t in_b) {
      return paired.contains({in_a, in_b});
    });
    null.kinds.emplace(kind.kind, found);
    const auto count = static_cast<double>(found.pairs);
    null.pairs += found.pairs;
    means += count * found.mean;
    squares += count * found.deviation * found.deviation;
  }
  if (null.pairs == 0) return null;
  null.mean = means / static_cast<double>(null.pairs);
  null.deviation = std::sqrt(squares / static_cast<double>(null.pairs));
  return null;
}

struct Part {
  double cosine = 0;
  double deviation = 0;  // IndependentDeviation of its matrices
  double null_mean = 0;
};

// The largest of its kind's occurrences; that of all where the kind has no null of its own.
double MeanOfKind(const WeightSummary& weight, const Null& null) {
  std::optional<double> mean;
  for (const auto& [kind, found] : null.kinds) {
    const bool same = kind.role == weight.role.role && kind.rows == weight.rows &&
                      kind.columns == weight.columns &&
                      kind.shared_expert == weight.role.shared_expert &&
                      kind.cross_attention == weight.role.cross_attention;
    if (same) mean = std::max(mean.value_or(found.mean), found.mean);
  }
  return mean.value_or(std::max(0.0, null.mean));
}

// Per role and layer; the experts of a layer are one part.
std::vector<Part> PartCosines(const Fingerprint& a, std::span<const SketchPair> pairs,
                              const Null& null) {
  using PartKey = std::tuple<std::string, std::optional<uint32_t>, Role, bool, bool>;
  struct Sum {
    Moments cosines = {};
    double deviation = 0;
    double null_mean = 0;
  };
  std::map<PartKey, Sum> sums;
  for (const SketchPair& pair : pairs) {
    if (!pair.learned) continue;
    const WeightSummary& weight = a.weights[pair.weights.in_a];
    const TensorRole& role = weight.role;
    Sum& sum = sums[{role.stack, role.layer, role.role, role.shared_expert, role.cross_attention}];
    sum.cosines.Add(pair.cosine);
    sum.deviation = IndependentDeviation(weight.rows, weight.columns);
    sum.null_mean = MeanOfKind(weight, null);
  }
  std::vector<Part> parts;
  for (const auto& [key, sum] : sums) {
    parts.push_back(
        {.cosine = sum.cosines.Mean(), .deviation = sum.deviation, .null_mean = sum.null_mean});
  }
  return parts;
}

void TestAgainstNull(const std::vector<Part>& parts, const Null& null,
                     SketchComparison& comparison) {
  const bool measured = null.pairs >= kFewestNullPairs;
  comparison.null_pairs = null.pairs;
  comparison.null_mean = measured ? null.mean : 0;
  // Never below the theory's value: a measured one may be small by chance.
  comparison.null_deviation = measured ? std::max(1.0, null.deviation) : kUnmeasuredDeviation;
  comparison.parts = parts.size();
  if (parts.empty()) return;
  Moments cosines;
  Moments standardised;
  size_t outstanding = 0;
  size_t copied = 0;
  for (const Part& part : parts) {
    const double distance =
        (part.cosine - part.null_mean) / (part.deviation * comparison.null_deviation);
    cosines.Add(part.cosine);
    standardised.Add(distance);
    if (distance > 3) ++outstanding;
    if (distance > 3 && part.cosine >= kCopiedMatrixCosine) ++copied;
  }
  const auto count = static_cast<double>(parts.size());
  const double null_share = measured ? kMedianVariance / static_cast<double>(null.pairs) : 0;
  comparison.cosine = cosines.Mean();
  comparison.outstanding_share = static_cast<double>(outstanding) / count;
  comparison.copied_share = static_cast<double>(copied) / count;
  comparison.z = standardised.Mean() / std::sqrt(1 / count + null_share);
  comparison.p_value = std::erfc(comparison.z / std::sqrt(2.0)) / 2;
}

}  // namespace

SketchComparison CompareSketches(const Fingerprint& a, const Fingerprint& b, const LayerMap& layers,
                                 const CommonAnchors& anchors) {
  return CompareSketches(a, b, layers, anchors, CosinesOfLayers(a, b));
}

SketchComparison CompareSketches(const Fingerprint& a, const Fingerprint& b, const LayerMap& layers,
                                 const CommonAnchors& anchors,
                                 std::span<const KindCosines> cosines) {
  SketchComparison comparison;
  comparison.pairs = PairSketches(a, b, layers);
  if (anchors.obstacle.empty() && a.hidden_size == b.hidden_size) {
    comparison.embedding = CompareTables(a.embedding_sketch, b.embedding_sketch, anchors);
    comparison.head = CompareTables(a.head_sketch, b.head_sketch, anchors);
  }
  const Null null = NullBeside(cosines, comparison.pairs);
  TestAgainstNull(PartCosines(a, comparison.pairs, null), null, comparison);
  return comparison;
}

}  // namespace tensorguard::internal
