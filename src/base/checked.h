// Arithmetic on numbers that came from a file. Empty result: does not fit in 64 bits.
#ifndef TENSORGUARD_BASE_CHECKED_H_
#define TENSORGUARD_BASE_CHECKED_H_

#include <cstdint>
#include <optional>
#include <span>

namespace tensorguard::internal {

inline std::optional<uint64_t> CheckedMultiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return {};
  return product;
}

inline std::optional<uint64_t> CheckedAdd(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return {};
  return sum;
}

// Product of the dimensions; 1 for a scalar's empty shape. Overflow is reported even where a later
// dimension is 0, because the shape is then nonsense whatever its product.
inline std::optional<uint64_t> ElementCount(std::span<const uint64_t> shape) {
  uint64_t nonzero_product = 1;
  bool empty = false;
  for (const uint64_t dimension : shape) {
    if (dimension == 0) {
      empty = true;
      continue;
    }
    const auto product = CheckedMultiply(nonzero_product, dimension);
    if (!product) return {};
    nonzero_product = *product;
  }
  return empty ? 0 : nonzero_product;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_CHECKED_H_
