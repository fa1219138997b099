#include "profile/frame/stream_projection.h"

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include "numerics/matrix_product.h"

namespace tensorguard::internal {

StreamProjection::StreamProjection(const FloatMatrix& directions, const StreamWeight& of)
    : of_(of),
      count_(directions.rows()),
      float32_(directions.values().begin(), directions.values().end()),
      projection_(directions.rows(), of.outer()) {
  const std::vector<float>& gain = *of.stream_factors;
  for (size_t i = 0; i < float32_.size(); ++i) float32_[i] *= gain[i % gain.size()];
  bfloat16_.resize(float32_.size());
  std::ranges::transform(float32_, bfloat16_.begin(), RoundToBFloat16);
}

template <typename Number>
const std::vector<Number>& StreamProjection::Directions() const {
  if constexpr (std::is_same_v<Number, float>) {
    return float32_;
  } else {
    return bfloat16_;
  }
}

Result<void> StreamProjection::Add(const WeightBlock& block) {
  return std::visit(
      [&](auto values) { return of_.writes ? AddWriter(block, values) : AddReader(block, values); },
      block.values);
}

template <typename Number>
Result<void> StreamProjection::AddReader(const WeightBlock& block, std::span<const Number> values) {
  const uint64_t hidden = of_.weight->columns;
  return Multiply(std::span<const Number>(Directions<Number>()), values, RightSide::kTransposed,
                  {.rows = count_, .columns = block.rows, .inner = hidden},
                  {projection_.values().data() + block.first_row, projection_.columns()});
}

template <typename Number>
Result<void> StreamProjection::AddWriter(const WeightBlock& block, std::span<const Number> values) {
  const uint64_t hidden = of_.weight->rows;
  std::vector<Number> left(count_ * block.rows);
  for (uint64_t direction = 0; direction < count_; ++direction) {
    std::copy_n(&Directions<Number>()[direction * hidden + block.first_row], block.rows,
                &left[direction * block.rows]);
  }
  FloatMatrix product(count_, of_.weight->columns);
  auto multiplied = Multiply(std::span<const Number>(left), values, RightSide::kAsIs,
                             {.rows = count_, .columns = of_.weight->columns, .inner = block.rows},
                             {product.values().data(), of_.weight->columns});
  if (multiplied) AddInOrder(block.index, std::move(product));
  return multiplied;
}

void StreamProjection::AddInOrder(uint64_t block, FloatMatrix product) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(block, std::move(product));
  for (auto next = waiting_.find(next_block_); next != waiting_.end();
       next = waiting_.find(++next_block_)) {
    const auto values = next->second.values();
    const auto sums = projection_.values();
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
    waiting_.erase(next);
  }
}

FloatMatrix StreamProjection::Take() {
  if (of_.inner_factors) {
    const std::vector<float>& factors = *of_.inner_factors;
    for (size_t row = 0; row < projection_.rows(); ++row) {
      const auto values = projection_.Row(row);
      for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[i];
    }
  }
  return std::move(projection_);
}

}  // namespace tensorguard::internal
