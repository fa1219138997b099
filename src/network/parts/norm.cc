#include "network/parts/norm.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/try.h"
#include "network/parts/linear_map.h"

namespace tensorguard::internal {
namespace {

void NormaliseGroup(NormKind kind, double epsilon, std::span<float> values) {
  if (kind == NormKind::kNone) return;
  const auto count = static_cast<double>(values.size());
  double mean = 0;
  if (kind == NormKind::kLayer) {
    for (const float value : values) mean += value;
    mean /= count;
  }
  double square = 0;
  for (const float value : values) square += (value - mean) * (value - mean);
  // Zeros, as padding tokens have them, stay zeros where there is no epsilon, too.
  const double spread = square / count + epsilon;
  const double factor = spread > 0 ? 1 / std::sqrt(spread) : 0;
  for (float& value : values) value = static_cast<float>((value - mean) * factor);
}

// A gain or bias, which may be that of one head, repeated to `width` columns.
Result<std::vector<float>> ReadRepeated(const WeightSource& source, const Weight& weight,
                                        size_t width) {
  const uint64_t size = weight.rows * weight.columns;
  if (size == 0 || width % size != 0) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the norm does not fit what it normalises",
                 .tensor = source.tensors()[weight.tensor_index].name,
                 .found = fmt::format("{} elements", size),
                 .expected = fmt::format("{} or a divisor of it", width)};
  }
  auto values = ReadVector(source, weight, size);
  if (!values) return values;
  std::vector<float> repeated(width);
  for (size_t i = 0; i < width; ++i) repeated[i] = (*values)[i % size];
  return repeated;
}

}  // namespace

void Normalise(NormKind kind, double epsilon, size_t group, FloatMatrix& rows) {
  if (rows.columns() == 0) return;
  const size_t step = group == 0 ? rows.columns() : group;
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (size_t first = 0; first < rows.columns(); first += step) {
      NormaliseGroup(kind, epsilon, rows.Row(row).subspan(first, step));
    }
  }
}

Result<std::vector<float>> Norm::ReadGain(size_t width) const {
  if (gain == nullptr) return std::vector<float>(width, 1.0f);
  auto values = ReadRepeated(*source, *gain, width);
  if (!values || !gain_plus_one) return values;
  for (float& value : *values) value += 1;
  return values;
}

Result<FloatMatrix> Norm::Apply(FloatMatrix rows) const {
  const size_t width = rows.columns();
  if (group != 0 && width % group != 0) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the norm does not fit what it normalises",
                 .tensor = gain == nullptr ? "" : source->tensors()[gain->tensor_index].name,
                 .found = fmt::format("groups of {} columns", group),
                 .expected = fmt::format("a divisor of {}", width)};
  }
  TG_ASSIGN(const auto factors, ReadGain(width));
  std::vector<float> added(width, 0.0f);
  if (bias != nullptr) {
    TG_ASSIGN(auto read, ReadRepeated(*source, *bias, width));
    added = std::move(read);
  }
  Normalise(kind, epsilon, group, rows);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const auto values = rows.Row(row);
    for (size_t i = 0; i < width; ++i) values[i] = values[i] * factors[i] + added[i];
  }
  return rows;
}

Result<FloatMatrix> ApplyIfAny(const std::optional<Norm>& norm, FloatMatrix rows) {
  if (!norm) return rows;
  return norm->Apply(std::move(rows));
}

}  // namespace tensorguard::internal
