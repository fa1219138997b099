#include "network/parts/linear_map.h"

#include <fmt/format.h>

#include <utility>

#include "base/checked.h"
#include "base/try.h"

namespace tensorguard::internal {

Result<FloatMatrix> LinearMap::Apply(const FloatMatrix& rows) const {
  const std::string& name = source->tensors()[weight->tensor_index].name;
  if (rows.columns() != inputs()) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the matrix does not fit what it is applied to",
                 .tensor = name,
                 .found = fmt::format("{} inputs", inputs()),
                 .expected = fmt::format("{}", rows.columns())};
  }
  auto product = ApplyWeight(*source, *weight, rows);
  if (!product || bias == nullptr) return product;
  TG_ASSIGN(const auto added, ReadVector(*source, *bias, outputs()));
  for (size_t row = 0; row < product->rows(); ++row) {
    const auto values = product->Row(row);
    for (size_t i = 0; i < values.size(); ++i) values[i] += added[i];
  }
  return product;
}

Result<FloatMatrix> ApplyMapIfAny(const std::optional<LinearMap>& map, FloatMatrix rows) {
  if (!map) return rows;
  return map->Apply(rows);
}

Result<std::vector<float>> ReadVector(const WeightSource& source, const Weight& weight,
                                      uint64_t expected_size) {
  const auto size = CheckedMultiply(weight.rows, weight.columns);
  if (size != expected_size) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the tensor does not fit the rest of its layer",
                 .tensor = source.tensors()[weight.tensor_index].name,
                 .found = fmt::format("{} x {} elements", weight.rows, weight.columns),
                 .expected = fmt::format("{}", expected_size)};
  }
  TG_ASSIGN(auto matrix, ReadWeight(source, weight));
  return std::vector<float>(matrix.values().begin(), matrix.values().end());
}

}  // namespace tensorguard::internal
