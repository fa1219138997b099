// A reproducible random order.
#ifndef TENSORGUARD_BASE_SEEDED_ORDER_H_
#define TENSORGUARD_BASE_SEEDED_ORDER_H_

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "base/random_bits.h"

namespace tensorguard::internal {

// 0..count-1 in an order fixed by the seed (Fisher-Yates).
inline std::vector<uint32_t> SeededOrder(uint32_t count, uint64_t seed) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (uint32_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[RandomBits(seed, i) % i]);
  }
  return order;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_SEEDED_ORDER_H_
