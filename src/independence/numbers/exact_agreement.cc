#include "independence/numbers/exact_agreement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <tuple>

#include "base/parallel.h"
#include "base/try.h"
#include "fingerprint/learned_matrix.h"
#include "independence/numbers/counterparts.h"

namespace tensorguard::internal {
namespace {

// Numbers of each matrix that a thread holds at a time; an input-major one is read in longer
// pieces, whose rows lie scattered.
constexpr uint64_t kNumbersPerTask = uint64_t{1} << 19;
constexpr uint64_t kScatteredFactor = 8;

// The matrices of layers.
std::map<WeightPlace, const Weight*> MatricesByPlace(const Network& network) {
  auto places = WeightsByPlace(network);
  std::erase_if(places, [](const auto& entry) {
    const Weight& weight = *entry.second;
    return weight.is_vector || weight.role.is_bias || !weight.role.layer;
  });
  return places;
}

// A weight of a network by what its summary in a fingerprint says of it.
using SummaryKey = std::tuple<std::string, Role, std::optional<uint32_t>>;

std::map<SummaryKey, const Weight*> WeightsBySummary(const Network& network) {
  std::map<SummaryKey, const Weight*> weights;
  for (const Weight& weight : network.weights()) {
    const std::string& name = network.source().tensors()[weight.tensor_index].name;
    weights.emplace(SummaryKey(name, weight.role.role, weight.role.expert), &weight);
  }
  return weights;
}

const Weight* Find(const std::map<SummaryKey, const Weight*>& weights,
                   const WeightSummary& summary) {
  const auto found =
      weights.find(SummaryKey(summary.tensor, summary.role.role, summary.role.expert));
  return found == weights.end() ? nullptr : found->second;
}

// Sums over some rows of two matrices.
struct Sums {
  double product = 0.0;
  double square_a = 0.0;
  double square_b = 0.0;
  double contrast = 0.0;
  uint64_t contrasts = 0;

  void Add(const Sums& other) {
    product += other.product;
    square_a += other.square_a;
    square_b += other.square_b;
    contrast += other.contrast;
    contrasts += other.contrasts;
  }
};

// In lanes of a fixed number, so that a vector instruction can follow the order of the sum.
constexpr size_t kLanes = 8;

struct Moments {
  double product = 0.0;
  double square_a = 0.0;
  double square_b = 0.0;
};

template <typename ValueA, typename ValueB>
Moments MomentsOf(size_t count, ValueA value_a, ValueB value_b) {
  double products[kLanes] = {};
  double squares_a[kLanes] = {};
  double squares_b[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const auto a = static_cast<double>(value_a(i + lane));
      const auto b = static_cast<double>(value_b(i + lane));
      products[lane] += a * b;
      squares_a[lane] += a * a;
      squares_b[lane] += b * b;
    }
  }
  for (size_t lane = 0; i < count; ++i, ++lane) {
    const auto a = static_cast<double>(value_a(i));
    const auto b = static_cast<double>(value_b(i));
    products[lane] += a * b;
    squares_a[lane] += a * a;
    squares_b[lane] += b * b;
  }
  Moments sum;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    sum.product += products[lane];
    sum.square_a += squares_a[lane];
    sum.square_b += squares_b[lane];
  }
  return sum;
}

Sums SumRows(const FloatMatrix& a, const FloatMatrix& b) {
  Sums sums;
  for (size_t row = 0; row < a.rows(); ++row) {
    const std::span<const float> of_a = a.Row(row);
    const std::span<const float> of_b = b.Row(row);
    const Moments moments = MomentsOf(
        of_a.size(), [&](size_t i) { return of_a[i]; }, [&](size_t i) { return of_b[i]; });
    sums.product += moments.product;
    sums.square_a += moments.square_a;
    sums.square_b += moments.square_b;
    if (row % 2 == 0) continue;
    const std::span<const float> before_a = a.Row(row - 1);
    const std::span<const float> before_b = b.Row(row - 1);
    const Moments contrast = MomentsOf(
        of_a.size(), [&](size_t i) { return of_a[i] - before_a[i]; },
        [&](size_t i) { return of_b[i] - before_b[i]; });
    const double size = std::sqrt(contrast.square_a) * std::sqrt(contrast.square_b);
    if (!(size > 0.0) || !std::isfinite(size)) continue;
    sums.contrast += contrast.product / size;
    ++sums.contrasts;
  }
  return sums;
}

Result<Sums> SumMatrices(const Network& network_a, const Network& network_b,
                         const WeightsToCompare& pair, unsigned threads) {
  const uint64_t rows = pair.a->rows;
  const bool scattered = pair.a->input_major || pair.b->input_major;
  const uint64_t numbers = kNumbersPerTask * (scattered ? kScatteredFactor : 1);
  const uint64_t columns = std::max<uint64_t>(pair.a->columns, 1);
  const uint64_t rows_per_task = std::max<uint64_t>(2, numbers / columns / 2 * 2);
  std::vector<Sums> of_task((rows + rows_per_task - 1) / rows_per_task);
  const auto done = ParallelFor(of_task.size(), threads, [&](size_t task) -> Result<void> {
    const uint64_t first = task * rows_per_task;
    const uint64_t count = std::min(rows_per_task, rows - first);
    TG_ASSIGN(const auto a, ReadWeightRows(network_a.source(), *pair.a, first, count));
    TG_ASSIGN(const auto b, ReadWeightRows(network_b.source(), *pair.b, first, count));
    of_task[task] = SumRows(a, b);
    return {};
  });
  if (!done) return done.error();
  Sums sums;
  for (const Sums& part : of_task) sums.Add(part);
  return sums;
}

}  // namespace

std::vector<WeightsToCompare> CounterpartsByPlace(const Network& a, const Network& b) {
  const auto in_b = MatricesByPlace(b);
  std::vector<WeightsToCompare> pairs;
  for (const auto& [place, weight] : MatricesByPlace(a)) {
    const auto found = in_b.find(place);
    if (found == in_b.end() || !SameMatrixShape(*weight, *found->second)) continue;
    pairs.push_back({.a = weight, .b = found->second});
  }
  return pairs;
}

std::vector<WeightsToCompare> CounterpartsOf(const SketchComparison& sketches,
                                             const Fingerprint& fingerprint_a, const Network& a,
                                             const Fingerprint& fingerprint_b, const Network& b) {
  const auto in_a = WeightsBySummary(a);
  const auto in_b = WeightsBySummary(b);
  std::vector<WeightsToCompare> pairs;
  for (const SketchPair& pair : sketches.pairs) {
    if (!pair.learned) continue;
    const Weight* of_a = Find(in_a, fingerprint_a.weights[pair.weights.in_a]);
    const Weight* of_b = Find(in_b, fingerprint_b.weights[pair.weights.in_b]);
    if (of_a == nullptr || of_b == nullptr || !SameMatrixShape(*of_a, *of_b)) continue;
    pairs.push_back({.a = of_a, .b = of_b, .stored = pair.cosine});
  }
  return pairs;
}

Result<ExactAgreement> MeasureExactAgreement(const Network& a, const Network& b,
                                             const std::vector<WeightsToCompare>& pairs,
                                             unsigned threads) {
  ExactAgreement agreement;
  double contrasts = 0.0;
  for (const WeightsToCompare& pair : pairs) {
    TG_ASSIGN(const auto sums, SumMatrices(a, b, pair, threads));
    ExactPair exact{.tensor_a = a.source().tensors()[pair.a->tensor_index].name,
                    .tensor_b = b.source().tensors()[pair.b->tensor_index].name,
                    .layer_a = pair.a->role.layer,
                    .layer_b = pair.b->role.layer,
                    .stored = pair.stored};
    const double size = std::sqrt(sums.square_a) * std::sqrt(sums.square_b);
    if (size > 0.0) exact.cosine = sums.product / size;
    if (sums.contrasts > 0) exact.contrast = sums.contrast / static_cast<double>(sums.contrasts);
    exact.forged = pair.stored && *pair.stored > kStoredLikeness && exact.cosine < kNoLikeness;
    if (exact.forged) agreement.forged.push_back(exact.tensor_a);
    contrasts += exact.contrast;
    agreement.pairs.push_back(std::move(exact));
  }
  if (!pairs.empty()) agreement.mean_contrast = contrasts / static_cast<double>(pairs.size());
  return agreement;
}

}  // namespace tensorguard::internal
