#include "fingerprint/search_vector.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tensorguard::internal {
namespace {

void AddNorms(SearchVector& vector) {
  for (size_t part = 0; part < kScreenedParts; ++part) {
    int32_t squares = 0;
    for (size_t i = 0; i < kScreeningLength; ++i) {
      const int32_t number = vector.numbers[part * kScreeningLength + i];
      squares += number * number;
    }
    vector.inverse_norms[part] = squares > 0 ? 1 / std::sqrt(static_cast<float>(squares)) : 0;
  }
}

}  // namespace

SearchVector SearchVectorOf(const ScreeningSignature& signature) {
  std::array<double, kSearchNumbers> sums = {};
  for (size_t layer = 0; layer < signature.layers(); ++layer) {
    const auto numbers = signature.Layer(layer);
    for (size_t i = 0; i < kSearchNumbers; ++i) {
      sums[i] += double{signature.InverseNorms(layer)[i / kScreeningLength]} * numbers[i];
    }
  }
  SearchVector vector;
  for (size_t part = 0; part < kScreenedParts; ++part) {
    const auto begin = sums.begin() + static_cast<ptrdiff_t>(part * kScreeningLength);
    double largest = 0;
    for (size_t i = 0; i < kScreeningLength; ++i) largest = std::max(largest, std::abs(begin[i]));
    if (largest == 0) continue;
    for (size_t i = 0; i < kScreeningLength; ++i) {
      vector.numbers[part * kScreeningLength + i] =
          static_cast<int8_t>(std::lrint(begin[i] / largest * 127));
    }
  }
  AddNorms(vector);
  return vector;
}

std::optional<SearchVector> SearchVectorFrom(std::span<const std::byte> numbers) {
  if (numbers.size() != kSearchNumbers) return {};
  SearchVector vector;
  std::memcpy(vector.numbers.data(), numbers.data(), kSearchNumbers);
  AddNorms(vector);
  return vector;
}

double SearchScore(const SearchVector& a, const SearchVector& b) {
  std::array<int32_t, kScreenedParts> dots = {};
  for (size_t i = 0; i < kSearchNumbers; ++i) {
    dots[i / kScreeningLength] += int32_t{a.numbers[i]} * b.numbers[i];
  }
  return ScoreOfDots(dots.data(), a.inverse_norms, b.inverse_norms);
}

}  // namespace tensorguard::internal
