#include "weights/adapters/tensor_edit.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tensorguard::internal {
namespace {

constexpr uint64_t kNormBlockElements = 1 << 16;

// Calls visit(row, first_column, values of that row) for each row that the block touches.
template <typename Visit>
void ForEachRow(uint64_t columns, uint64_t first_element, std::span<float> values,
                const Visit& visit) {
  while (!values.empty()) {
    const uint64_t column = first_element % columns;
    const size_t count = static_cast<size_t>(std::min<uint64_t>(columns - column, values.size()));
    visit(first_element / columns, column, values.first(count));
    first_element += count;
    values = values.subspan(count);
  }
}

// sums[i] += factor * terms[i]. In lanes of a fixed number, which the compiler turns into vector
// instructions at any optimisation level that has them; the arithmetic is the same.
void AddMultiple(float factor, std::span<const float> terms, float* __restrict sums) {
  constexpr size_t kLanes = 16;
  size_t i = 0;
  for (; i + kLanes <= terms.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[i + lane] += factor * terms[i + lane];
  }
  for (; i < terms.size(); ++i) sums[i] += factor * terms[i];
}

class LowRankEdit : public TensorEdit {
 public:
  explicit LowRankEdit(LowRankMatrix delta) : delta_(std::move(delta)) {}

  Result<void> Apply(uint64_t first_element, std::span<float> values,
                     const ReadElements&) const override {
    delta_.AddTo(first_element, values);
    return {};
  }

 private:
  LowRankMatrix delta_;
};

class ScaleEdit : public TensorEdit {
 public:
  ScaleEdit(MatrixAxis axis, uint64_t columns, std::vector<float> factors)
      : axis_(axis), columns_(columns), factors_(std::move(factors)) {}

  Result<void> Apply(uint64_t first_element, std::span<float> values,
                     const ReadElements&) const override {
    Scale(axis_, columns_, factors_, first_element, values);
    return {};
  }

  static void Scale(MatrixAxis axis, uint64_t columns, std::span<const float> factors,
                    uint64_t first_element, std::span<float> values) {
    ForEachRow(columns, first_element, values,
               [&](uint64_t row, uint64_t first_column, std::span<float> part) {
                 for (size_t i = 0; i < part.size(); ++i) {
                   part[i] *= factors[axis == MatrixAxis::kRows ? row : first_column + i];
                 }
               });
  }

 private:
  MatrixAxis axis_;
  uint64_t columns_;
  std::vector<float> factors_;
};

class DoraEdit : public TensorEdit {
 public:
  DoraEdit(LowRankMatrix delta, MatrixAxis outputs, std::vector<float> magnitudes)
      : delta_(std::move(delta)), outputs_(outputs), magnitudes_(std::move(magnitudes)) {}

  Result<void> Apply(uint64_t first_element, std::span<float> values,
                     const ReadElements& unedited) const override {
    auto measured = MeasureOnce(unedited);
    if (!measured) return measured;
    delta_.AddTo(first_element, values);
    ScaleEdit::Scale(outputs_, delta_.columns, *factors_, first_element, values);
    return {};
  }

 private:
  // Fills `factors_`; another thread that needs it waits. After an error the next read tries again.
  Result<void> MeasureOnce(const ReadElements& unedited) const {
    const std::lock_guard lock(mutex_);
    if (factors_) return {};
    std::vector<double> squares(magnitudes_.size());
    std::vector<float> block;
    const uint64_t element_count = delta_.rows * delta_.columns;
    for (uint64_t first = 0; first < element_count; first += block.size()) {
      block.resize(std::min(kNormBlockElements, element_count - first));
      auto read = unedited(first, block);
      if (!read) return read;
      delta_.AddTo(first, block);
      ForEachRow(delta_.columns, first, block,
                 [&](uint64_t row, uint64_t first_column, std::span<float> part) {
                   for (size_t i = 0; i < part.size(); ++i) {
                     const double value = part[i];
                     squares[outputs_ == MatrixAxis::kRows ? row : first_column + i] +=
                         value * value;
                   }
                 });
    }
    std::vector<float> factors(magnitudes_.size());
    for (size_t i = 0; i < factors.size(); ++i) {
      factors[i] = magnitudes_[i] / static_cast<float>(std::sqrt(squares[i]));
    }
    factors_ = std::move(factors);
    return {};
  }

  LowRankMatrix delta_;
  MatrixAxis outputs_;
  std::vector<float> magnitudes_;
  mutable std::mutex mutex_;
  // Guarded by mutex_ until set, then never changed.
  mutable std::optional<std::vector<float>> factors_;
};

class AddEdit : public TensorEdit {
 public:
  explicit AddEdit(std::vector<float> addends) : addends_(std::move(addends)) {}

  Result<void> Apply(uint64_t first_element, std::span<float> values,
                     const ReadElements&) const override {
    for (size_t i = 0; i < values.size(); ++i) values[i] += addends_[first_element + i];
    return {};
  }

 private:
  std::vector<float> addends_;
};

}  // namespace

void LowRankMatrix::AddTo(uint64_t first_element, std::span<float> values) const {
  // Products are summed over the rank before scaling, in the same order for every element, so that
  // neither the block nor the chunk shows in the result.
  std::array<float, 512> chunk;
  ForEachRow(columns, first_element, values,
             [&](uint64_t row, uint64_t first_column, std::span<float> part) {
               while (!part.empty()) {
                 const size_t count = std::min(part.size(), chunk.size());
                 std::fill_n(chunk.begin(), count, 0.0f);
                 for (uint64_t k = 0; k < rank; ++k) {
                   const float factor = left[row * rank + k];
                   const float* terms = right.data() + k * columns + first_column;
                   AddMultiple(factor, {terms, count}, chunk.data());
                 }
                 for (size_t i = 0; i < count; ++i) part[i] += chunk[i] * scaling;
                 first_column += count;
                 part = part.subspan(count);
               }
             });
}

std::unique_ptr<const TensorEdit> AddLowRank(LowRankMatrix delta) {
  return std::make_unique<LowRankEdit>(std::move(delta));
}

std::unique_ptr<const TensorEdit> AddLowRankAndRescale(LowRankMatrix delta, MatrixAxis outputs,
                                                       std::vector<float> magnitudes) {
  return std::make_unique<DoraEdit>(std::move(delta), outputs, std::move(magnitudes));
}

std::unique_ptr<const TensorEdit> ScaleAlong(MatrixAxis axis, uint64_t columns,
                                             std::vector<float> factors) {
  return std::make_unique<ScaleEdit>(axis, columns, std::move(factors));
}

std::unique_ptr<const TensorEdit> AddElements(std::vector<float> addends) {
  return std::make_unique<AddEdit>(std::move(addends));
}

}  // namespace tensorguard::internal
