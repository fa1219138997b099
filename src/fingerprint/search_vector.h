// What a search over very many models looks at first: a few numbers for a whole model.
#ifndef TENSORGUARD_FINGERPRINT_SEARCH_VECTOR_H_
#define TENSORGUARD_FINGERPRINT_SEARCH_VECTOR_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "fingerprint/screening.h"

namespace tensorguard::internal {

// Rises when the numbers mean something else.
inline constexpr int kSearchVectorVersion = 1;
inline constexpr size_t kSearchNumbers = kScreenedParts * kScreeningLength;

struct SearchVector {
  std::array<int8_t, kSearchNumbers> numbers = {};
  // 1 over the norm of each part; 0 for a part that no layer has.
  std::array<float, kScreenedParts> inverse_norms = {};
};

// For each part of a signature (three kernels, the learned matrices together) the sum over the
// layers of the part at norm 1. Layers that were dropped, doubled or put in another order leave the
// sum near what it was.
SearchVector SearchVectorOf(const ScreeningSignature& signature);

// Of the numbers, which are all that is stored. Empty if they are not kSearchNumbers bytes.
std::optional<SearchVector> SearchVectorFrom(std::span<const std::byte> numbers);

// In [0, 1], as a comparison scores: 1 - (1 - k^2) (1 - s^2), k the mean of the cosines of the
// kernels that both have, s that of the matrices; negative cosines are 0. Noise makes it positive.
double SearchScore(const SearchVector& a, const SearchVector& b);

// The same from the scalar products of the parts.
inline double ScoreOfDots(const int32_t* dots, const std::array<float, kScreenedParts>& a,
                          const std::array<float, kScreenedParts>& b) {
  float kernels = 0;
  float count = 0;
  for (size_t part = 0; part + 1 < kScreenedParts; ++part) {
    const float scale = a[part] * b[part];
    kernels += static_cast<float>(dots[part]) * scale;
    count += scale > 0 ? 1.0f : 0.0f;
  }
  const float mean = count > 0 ? kernels / count : 0;
  const float weights = static_cast<float>(dots[kScreenedParts - 1]) * a.back() * b.back();
  const double k = std::clamp(mean, 0.0f, 1.0f);
  const double s = std::clamp(weights, 0.0f, 1.0f);
  return 1 - (1 - k * k) * (1 - s * s);
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_SEARCH_VECTOR_H_
