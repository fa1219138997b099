#include "paper/inputs/random_numbers.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>

namespace tensorguard::internal {
namespace {

constexpr size_t kNormalBlock = 16;

// Turns 16 uniforms in [0, 1) into 16 normals: the first eight give radii, the last eight angles.
void BoxMullerBlock(float* block) {
  for (size_t j = 0; j < kNormalBlock / 2; ++j) {
    const float u1 = 1.0f - block[j];
    const float u2 = block[j + kNormalBlock / 2];
    const double radius = std::sqrt(-2.0 * std::log(static_cast<double>(u1)));
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(u2);
    block[j] = static_cast<float>(radius * std::cos(angle));
    block[j + kNormalBlock / 2] = static_cast<float>(radius * std::sin(angle));
  }
}

}  // namespace

uint64_t NumpyRandom::Below(uint64_t last) {
  if (last == 0) return 0;
  const uint64_t mask = std::bit_ceil(last + 1) - 1;
  while (true) {
    const uint64_t drawn = engine_() & mask;
    if (drawn <= last) return drawn;
  }
}

uint64_t NumpyRandom::Choice(uint64_t count) { return Below(count - 1); }

std::vector<size_t> NumpyRandom::ChoiceWithoutReplacement(size_t count, size_t taken) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = count; i-- > 1;) std::swap(order[i], order[Below(i)]);
  order.resize(taken);
  return order;
}

void TorchRandom::FillUniform(float* out, size_t count) {
  constexpr uint32_t kMantissaMask = (1u << 24) - 1;
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(engine_() & kMantissaMask) / static_cast<float>(1u << 24);
  }
}

std::vector<float> TorchRandom::Normal(size_t count) {
  if (count < kNormalBlock) return NormalPairs(count);
  std::vector<float> values(count);
  FillUniform(values.data(), count);
  for (size_t i = 0; i + kNormalBlock <= count; i += kNormalBlock) BoxMullerBlock(&values[i]);
  if (count % kNormalBlock != 0) {
    float* const last_block = values.data() + count - kNormalBlock;
    FillUniform(last_block, kNormalBlock);
    BoxMullerBlock(last_block);
  }
  return values;
}

double TorchRandom::Uniform53() {
  const uint64_t high = engine_();
  const uint64_t low = engine_();
  constexpr uint64_t kMantissaMask = (uint64_t{1} << 53) - 1;
  return static_cast<double>(((high << 32) | low) & kMantissaMask) * 0x1p-53;
}

std::vector<float> TorchRandom::NormalPairs(size_t count) {
  std::vector<float> values;
  while (values.size() < count) {
    if (second_of_pair_) {
      values.push_back(static_cast<float>(*second_of_pair_));
      second_of_pair_.reset();
      continue;
    }
    const double u1 = Uniform53();
    const double u2 = Uniform53();
    const double radius = std::sqrt(-2.0 * std::log1p(-u2));
    const double angle = 2.0 * std::numbers::pi * u1;
    values.push_back(static_cast<float>(radius * std::cos(angle)));
    second_of_pair_ = radius * std::sin(angle);
  }
  return values;
}

}  // namespace tensorguard::internal
