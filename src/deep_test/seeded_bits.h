// Reproducible random bits addressed by number, so that any thread can draw any of them.
#ifndef TENSORGUARD_DEEP_TEST_SEEDED_BITS_H_
#define TENSORGUARD_DEEP_TEST_SEEDED_BITS_H_

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace tensorguard {

// The SplitMix64 output function (Steele, Lea and Flood, OOPSLA 2014) of state seed + index steps.
inline uint64_t SeededBits(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// 0..count-1 in an order fixed by the seed (Fisher-Yates).
inline std::vector<uint32_t> SeededOrder(uint32_t count, uint64_t seed) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (uint32_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[SeededBits(seed, i) % i]);
  }
  return order;
}

}  // namespace tensorguard

#endif  // TENSORGUARD_DEEP_TEST_SEEDED_BITS_H_
