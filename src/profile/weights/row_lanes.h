// The passes of row_measures.h over numbers, in vector lanes: the same bits on every processor.
#ifndef TENSORGUARD_PROFILE_WEIGHTS_ROW_LANES_H_
#define TENSORGUARD_PROFILE_WEIGHTS_ROW_LANES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bfloat16.h"

namespace tensorguard::internal {

constexpr bool IsZero(float value) { return value == 0; }
constexpr bool IsZero(BFloat16 value) { return (static_cast<uint16_t>(value) & 0x7fff) == 0; }

inline constexpr size_t kSumLanes = 32;

// Sums of every 32nd number and of its square. In float64 the square of a float32 number is exact,
// so that fused multiply-add gives the same bits as a product and a sum.
struct LaneSums {
  alignas(64) std::array<double, kSumLanes> sums = {};
  alignas(64) std::array<double, kSumLanes> squares = {};
};

// Adds number i to lane i % kSumLanes. REQUIRES: a multiple of kSumLanes numbers.
void AddToLanes(std::span<const float> values, LaneSums& lanes);
void AddToLanes(std::span<const BFloat16> values, LaneSums& lanes);

// Never -0. Finite if every number is.
struct Extremes {
  float least = 0;
  float greatest = 0;
  bool has_zero = false;
};

// REQUIRES: not empty.
Extremes ExtremesOf(std::span<const float> values);
Extremes ExtremesOf(std::span<const BFloat16> values);

struct RowZeros {
  uint64_t zeros = 0;
  uint64_t sparse_fours = 0;  // aligned groups of 4 neighbours of which two or more are zero
};

RowZeros ZerosOf(std::span<const float> row);
RowZeros ZerosOf(std::span<const BFloat16> row);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_WEIGHTS_ROW_LANES_H_
