#include <algorithm>
#include <cmath>
#include <set>

#include "base/try.h"
#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"
#include "profile/weights/weight_measures.h"
#include "safetensors/dtype.h"

namespace tensorguard::internal {
namespace {

double ZeroFours(const FloatMatrix& values) {
  double sparse = 0;
  double all = 0;
  for (size_t row = 0; row < values.rows(); ++row) {
    for (size_t first = 0; first + 4 <= values.columns(); first += 4) {
      const auto group = values.Row(row).subspan(first, 4);
      sparse += std::count(group.begin(), group.end(), 0.0f) >= 2 ? 1 : 0;
      ++all;
    }
  }
  return sparse / all;
}

double MeanDistinct(const FloatMatrix& values, uint64_t size) {
  const uint64_t per_row = values.columns() / size;
  const FixedSample sample(values.rows() * per_row, kGroupSample);
  double sum = 0;
  for (uint64_t k = 0; k < sample.size(); ++k) {
    const uint64_t group = sample.Position(k);
    const auto neighbours = values.Row(group / per_row).subspan(group % per_row * size, size);
    sum += static_cast<double>(std::set<float>(neighbours.begin(), neighbours.end()).size());
  }
  return sum / static_cast<double>(sample.size());
}

// s = S (W X), or v X of a vector.
FloatMatrix PlainSketch(const Weight& weight, const FloatMatrix& values) {
  const uint64_t inputs = weight.is_vector ? weight.rows : weight.columns;
  const FloatMatrix probes = ProbeMatrix(inputs);
  const OutputBuckets buckets(weight.rows);
  std::vector<double> sums((weight.is_vector ? 1 : kSketchSize) * kSketchSize);
  for (uint64_t row = 0; row < weight.rows; ++row) {
    const OutputBucket to = weight.is_vector ? OutputBucket{} : buckets.Of(row);
    for (uint64_t column = 0; column < weight.columns; ++column) {
      const double value = values.Row(row)[column] * to.sign;
      const auto probe = probes.Row(weight.is_vector ? row : column);
      for (size_t i = 0; i < kSketchSize; ++i) {
        sums[to.bucket * kSketchSize + i] += value * probe[i];
      }
    }
  }
  FloatMatrix sketch(weight.is_vector ? 1 : kSketchSize, kSketchSize);
  std::copy(sums.begin(), sums.end(), sketch.values().begin());
  return sketch;
}

std::array<float, kSummaryQuantiles.size()> PlainQuantiles(std::span<const float> values) {
  const FixedSample positions(values.size(), kQuantileSample);
  std::vector<double> sorted;
  for (uint64_t k = 0; k < positions.size(); ++k) sorted.push_back(values[positions.Position(k)]);
  std::sort(sorted.begin(), sorted.end());
  std::array<float, kSummaryQuantiles.size()> quantiles;
  for (size_t i = 0; i < quantiles.size(); ++i) {
    const double place = kSummaryQuantiles[i] * static_cast<double>(sorted.size() - 1);
    const double low = sorted[static_cast<size_t>(std::floor(place))];
    const double high = sorted[static_cast<size_t>(std::ceil(place))];
    quantiles[i] = static_cast<float>(low + (high - low) * (place - std::floor(place)));
  }
  quantiles.front() = *std::min_element(values.begin(), values.end());
  quantiles.back() = *std::max_element(values.begin(), values.end());
  return quantiles;
}

ContentDigest PlainDigest(const FloatMatrix& values) {
  const uint64_t rows = std::max<uint64_t>(1, (uint64_t{1} << 18) / values.columns());
  std::vector<BlockDigest> digests;
  for (uint64_t first = 0; first < values.rows(); first += rows) {
    const uint64_t count = std::min(rows, values.rows() - first);
    digests.push_back(DigestOfValues(
        values.values().subspan(first * values.columns(), count * values.columns())));
  }
  return DigestOfBlocks(digests);
}

// Of the numbers as a copy in a narrower type would hold them; empty if that is the same numbers,
// or if one is infinite.
std::optional<WeightDigest> PlainRoundedDigest(const FloatMatrix& values, DType dtype) {
  const size_t count = values.values().size();
  std::vector<std::byte> bytes(count * sizeof(uint16_t));
  if (EncodeFloats(dtype, values.values(), bytes)) return {};
  FloatMatrix rounded(values.rows(), values.columns());
  if (dtype == DType::kBF16) {
    DecodeBrainFloats(bytes, rounded.values());
  } else {
    DecodeHalfFloats(bytes, rounded.values());
  }
  const WeightDigest digest = PlainDigest(rounded);
  if (digest == PlainDigest(values)) return {};
  return digest;
}

RowSample PlainRowSample(const FloatMatrix& values) {
  const FixedSample rows(values.rows(), kMostSampledRows);
  const RowProbes probes(values.columns());
  RowSample sample = {.digests = {}, .projections = FloatMatrix(rows.size(), kRowProjections)};
  for (uint64_t k = 0; k < rows.size(); ++k) {
    const SampledRow row = SampleRowPlainly(values.Row(rows.Position(k)), probes);
    sample.digests.push_back(row.digest);
    std::copy(row.projections.begin(), row.projections.end(), sample.projections.Row(k).begin());
  }
  return sample;
}

bool IsZero(float value) { return value == 0; }

}  // namespace

Result<WeightSummary> SummarisePlainly(const WeightSource& source, const Weight& weight,
                                       bool with_sketch, bool with_rows) {
  TG_ASSIGN(const auto values, ReadWeight(source, weight));
  const TensorInfo& tensor = source.tensors()[weight.tensor_index];
  WeightSummary summary = {.tensor = tensor.name,
                           .role = weight.role,
                           .is_vector = weight.is_vector,
                           .rows = weight.rows,
                           .columns = weight.columns,
                           .dtype = std::string(InfoOf(tensor.dtype).name),
                           .quantisation = tensor.quantisation,
                           .digest = PlainDigest(values)};
  const std::span<const float> all = values.values();
  const auto elements = static_cast<double>(all.size());
  double squares = 0;
  for (const float value : all) {
    squares += static_cast<double>(value) * value;
    summary.mean += value / elements;
    summary.zero_fraction += IsZero(value) ? 1 / elements : 0;
  }
  summary.norm = std::sqrt(squares);
  summary.quantiles = PlainQuantiles(all);
  for (uint64_t row = 0; row < weight.rows; ++row) {
    const auto numbers = values.Row(row);
    if (!std::all_of(numbers.begin(), numbers.end(), IsZero)) continue;
    summary.zero_row_fraction += 1.0 / static_cast<double>(weight.rows);
  }
  for (uint64_t column = 0; column < weight.columns; ++column) {
    bool zero = true;
    for (uint64_t row = 0; row < weight.rows; ++row) zero &= IsZero(values.Row(row)[column]);
    summary.zero_column_fraction += zero ? 1.0 / static_cast<double>(weight.columns) : 0;
  }
  if (weight.columns >= 4) summary.two_of_four_fraction = ZeroFours(values);
  if (weight.columns >= kSmallGroup) summary.distinct_per_32 = MeanDistinct(values, kSmallGroup);
  if (weight.columns >= kLargeGroup) summary.distinct_per_256 = MeanDistinct(values, kLargeGroup);
  if (!source.IsBFloat16(weight.tensor_index)) {
    summary.digest_as_bfloat16 = PlainRoundedDigest(values, DType::kBF16);
    summary.digest_as_float16 = PlainRoundedDigest(values, DType::kF16);
  }
  if (with_rows) summary.row_sample = PlainRowSample(values);
  if (with_sketch) summary.sketch = PlainSketch(weight, values);
  return summary;
}

}  // namespace tensorguard::internal
