// Reproducible random bits addressed by number, so that any thread can draw any of them.
#ifndef TENSORGUARD_BASE_RANDOM_BITS_H_
#define TENSORGUARD_BASE_RANDOM_BITS_H_

#include <cstdint>

namespace tensorguard::internal {

// A bijection whose output looks random: the output function of SplitMix64 (Steele, Lea and Flood,
// OOPSLA 2014).
constexpr uint64_t MixedBits(uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58'476d'1ce4'e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d0'49bb'1331'11eb;
  return bits ^ (bits >> 31);
}

// 64 bits for position `index` of a sequence: SplitMix64 started at `key`.
constexpr uint64_t RandomBits(uint64_t key, uint64_t index) {
  return MixedBits(key + (index + 1) * 0x9e37'79b9'7f4a'7c15);
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_RANDOM_BITS_H_
