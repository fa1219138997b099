#include "network/attention/differential_attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "base/try.h"
#include "network/parts/linear_map.h"
#include "network/parts/norm.h"

namespace tensorguard::internal {
namespace {

Result<double> ReadExponent(const WeightSource& source, const Weight& query, const Weight& key) {
  TG_ASSIGN(const auto a, ReadVector(source, query, query.rows * query.columns));
  TG_ASSIGN(const auto b, ReadVector(source, key, a.size()));
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return std::exp(sum);
}

void CopyColumns(std::span<const float> from, std::span<float> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

bool DifferentialAttention::Holds(const Weight& weight) const {
  const std::array<const Weight*, 4> own = {query_1, key_1, query_2, key_2};
  return std::find(own.begin(), own.end(), &weight) != own.end();
}

FloatMatrix PairValues(const FloatMatrix& values, AttentionShape& shape) {
  const uint64_t size = shape.value_size;
  const uint64_t half = shape.heads / 2;
  const uint64_t repeats = shape.heads / shape.key_heads;
  FloatMatrix paired(values.rows(), shape.heads * 2 * size);
  for (size_t row = 0; row < values.rows(); ++row) {
    const auto from = [&](uint64_t head) {
      return values.Row(row).subspan(head / repeats * size, size);
    };
    for (uint64_t head = 0; head < shape.heads; ++head) {
      const auto to = paired.Row(row).subspan(head * 2 * size, 2 * size);
      CopyColumns(from(head % half), to.first(size));
      CopyColumns(from(head % half + half), to.subspan(size));
    }
  }
  shape.value_size = 2 * size;
  shape.key_heads = shape.heads;
  return paired;
}

Result<FloatMatrix> DifferentialAttention::Combine(const FloatMatrix& mixed,
                                                   const AttentionShape& shape) const {
  TG_ASSIGN(const auto first, ReadExponent(*source, *query_1, *key_1));
  TG_ASSIGN(const auto second, ReadExponent(*source, *query_2, *key_2));
  const double initial = 0.8 - 0.6 * depth_factor;
  const auto taken = static_cast<float>(first - second + initial);
  const size_t columns = mixed.columns() / 2;
  FloatMatrix combined(mixed.rows(), columns);
  for (size_t row = 0; row < mixed.rows(); ++row) {
    for (size_t i = 0; i < columns; ++i) {
      combined.Row(row)[i] = mixed.Row(row)[i] - taken * mixed.Row(row)[columns + i];
    }
  }
  Normalise(NormKind::kRms, epsilon, columns / (shape.heads / 2), combined);
  for (float& value : combined.values()) value *= static_cast<float>(1 - initial);
  return combined;
}

std::optional<DifferentialAttention> FindDifferentialAttention(const LayerParts& parts,
                                                               uint32_t layer, double epsilon) {
  DifferentialAttention found{.source = &parts.source(),
                              .query_1 = parts.Named("lambda_q1"),
                              .key_1 = parts.Named("lambda_k1"),
                              .query_2 = parts.Named("lambda_q2"),
                              .key_2 = parts.Named("lambda_k2"),
                              .depth_factor = std::exp(-0.3 * layer),
                              .epsilon = epsilon};
  for (const Weight* weight : {found.query_1, found.key_1, found.query_2, found.key_2}) {
    if (weight == nullptr) return {};
  }
  return found;
}

}  // namespace tensorguard::internal
