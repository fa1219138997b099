#include "profile/frame/merged_units.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace tensorguard::internal {
namespace {

// Of unit vectors in 16 directions that differ by more than rounding to bfloat16 does, none is so
// near to another in every number.
constexpr float kSameDirection = 0.01f;
constexpr float kSameNorm = 0.02f;
// Units whose first numbers are this near are looked at, no more than so many of them.
constexpr size_t kMostNeighbours = 512;
// Units that together write less than this part of what they write apart, cancel.
constexpr float kCancelled = 1e-3f;
// Along fewer directions units are the same by chance.
constexpr size_t kFewestDirections = 8;

// A unit vector for each unit, one after the other; zero where there is no norm.
class Directions {
 public:
  explicit Directions(const FloatMatrix& projection)
      : size_(projection.rows()),
        norms_(projection.columns()),
        values_(projection.rows() * projection.columns()) {
    for (size_t row = 0; row < size_; ++row) {
      const auto numbers = projection.Row(row);
      for (size_t unit = 0; unit < norms_.size(); ++unit) {
        norms_[unit] += numbers[unit] * numbers[unit];
        values_[unit * size_ + row] = numbers[unit];
      }
    }
    for (size_t unit = 0; unit < norms_.size(); ++unit) {
      norms_[unit] = std::sqrt(norms_[unit]);
      for (size_t i = 0; i < size_ && norms_[unit] > 0; ++i) {
        values_[unit * size_ + i] /= norms_[unit];
      }
    }
  }

  float Norm(size_t unit) const { return norms_[unit]; }
  std::span<const float> Of(size_t unit) const {
    return std::span(values_).subspan(unit * size_, size_);
  }

  bool SameDirection(size_t unit, size_t other, float sign) const {
    const auto one = Of(unit);
    const auto two = Of(other);
    for (size_t i = 0; i < size_; ++i) {
      if (!(std::abs(one[i] - sign * two[i]) < kSameDirection)) return false;
    }
    return true;
  }

  bool SameNorm(size_t unit, size_t other) const {
    return std::abs(norms_[unit] - norms_[other]) <= kSameNorm * norms_[unit];
  }

 private:
  size_t size_;
  std::vector<float> norms_;
  std::vector<float> values_;
};

struct FirstNumbers {
  float first = 0;
  float second = 0;
};

class Merging {
 public:
  Merging(const FloatMatrix* gate, const FloatMatrix& up) : ups_(up) {
    if (gate != nullptr) gates_.emplace(*gate);
  }

  // 1 or -1 where both read the same, with that sign of up; else 0.
  float Sign(size_t unit, size_t other) const {
    if (!gates_) {
      return ups_.SameNorm(unit, other) && ups_.SameDirection(unit, other, 1) ? 1.0f : 0.0f;
    }
    if (!gates_->SameDirection(unit, other, 1) || !gates_->SameNorm(unit, other)) return 0;
    for (const float sign : {1.0f, -1.0f}) {
      if (ups_.SameDirection(unit, other, sign)) return sign;
    }
    return 0;
  }

  // What the other's up is to the unit's: what it writes counts so many times.
  float Factor(size_t unit, size_t other, float sign) const {
    return gates_ ? sign * ups_.Norm(other) / ups_.Norm(unit) : 1;
  }

  // Units that read anything, by the first number of what decides whether they write.
  std::vector<size_t> InOrder(size_t units) const {
    const Directions& first = gates_ ? *gates_ : ups_;
    std::vector<size_t> order;
    for (size_t unit = 0; unit < units; ++unit) {
      if (first.Norm(unit) > 0 && ups_.Norm(unit) > 0) order.push_back(unit);
    }
    std::ranges::stable_sort(order, {}, [&](size_t unit) { return first.Of(unit)[0]; });
    return order;
  }

  // The two first numbers of what decides whether the units write, side by side in that order:
  // they alone rule out most pairs, and are read far more often than the rest.
  std::vector<FirstNumbers> FirstNumbersOf(const std::vector<size_t>& units) const {
    const Directions& first = gates_ ? *gates_ : ups_;
    std::vector<FirstNumbers> numbers;
    for (const size_t unit : units) numbers.push_back({first.Of(unit)[0], first.Of(unit)[1]});
    return numbers;
  }

 private:
  std::optional<Directions> gates_;
  Directions ups_;
};

float ColumnNorm(const FloatMatrix& matrix, size_t column) {
  float square = 0;
  for (size_t row = 0; row < matrix.rows(); ++row) {
    square += matrix.Row(row)[column] * matrix.Row(row)[column];
  }
  return std::sqrt(square);
}

FloatMatrix Columns(const FloatMatrix& matrix, const std::vector<size_t>& kept) {
  FloatMatrix columns(matrix.rows(), kept.size());
  for (size_t row = 0; row < matrix.rows(); ++row) {
    for (size_t i = 0; i < kept.size(); ++i) columns.Row(row)[i] = matrix.Row(row)[kept[i]];
  }
  return columns;
}

}  // namespace

std::optional<MergedUnits> MergeUnits(const FloatMatrix* gate, const FloatMatrix& up,
                                      const FloatMatrix& down) {
  if (up.rows() < kFewestDirections) return std::nullopt;
  const size_t units = up.columns();
  const Merging merging(gate, up);
  const auto order = merging.InOrder(units);
  const auto numbers = merging.FirstNumbersOf(order);
  std::vector<bool> gone(units);
  FloatMatrix written = down;
  size_t merged = 0;
  for (size_t place = 0; place < order.size(); ++place) {
    const size_t unit = order[place];
    if (gone[unit]) continue;
    const size_t end = std::min(order.size(), place + kMostNeighbours);
    float apart = 0;
    const size_t merged_before = merged;
    for (size_t next = place + 1; next < end; ++next) {
      if (!(numbers[next].first - numbers[place].first < kSameDirection)) break;
      if (std::abs(numbers[next].second - numbers[place].second) >= kSameDirection) continue;
      const size_t other = order[next];
      const float sign = gone[other] ? 0 : merging.Sign(unit, other);
      if (sign == 0) continue;
      if (merged == merged_before) apart = ColumnNorm(down, unit);
      const float factor = merging.Factor(unit, other, sign);
      for (size_t row = 0; row < written.rows(); ++row) {
        written.Row(row)[unit] += factor * down.Row(row)[other];
      }
      apart += std::abs(factor) * ColumnNorm(down, other);
      gone[other] = true;
      ++merged;
    }
    if (merged > merged_before && ColumnNorm(written, unit) < kCancelled * apart) {
      for (size_t row = 0; row < written.rows(); ++row) written.Row(row)[unit] = 0;
    }
  }
  if (merged == 0) return std::nullopt;
  std::vector<size_t> kept;
  for (size_t unit = 0; unit < units; ++unit) {
    if (!gone[unit]) kept.push_back(unit);
  }
  return MergedUnits{.gate = gate == nullptr ? FloatMatrix() : Columns(*gate, kept),
                     .up = Columns(up, kept),
                     .down = Columns(written, kept)};
}

}  // namespace tensorguard::internal
