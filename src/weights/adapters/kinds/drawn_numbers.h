// Random numbers as PyTorch's generator for the processor draws them.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_DRAWN_NUMBERS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_DRAWN_NUMBERS_H_

#include <cstdint>
#include <random>
#include <vector>

namespace tensorguard::internal {

// The largest number of places of which PyTorch draws an order by 32 bits each.
inline constexpr uint64_t kMostDrawnPlaces = 0xffff'ffff / 20 - 1;

// The first `count` numbers of torch.randperm(places) after manual_seed(seed). Memory grows with
// `count` alone. REQUIRES: count <= places <= kMostDrawnPlaces.
std::vector<uint64_t> DrawPlaces(uint64_t places, uint64_t count, uint64_t seed);

// float32 numbers of tensor.uniform_, one call after another from one generator.
class UniformNumbers {
 public:
  explicit UniformNumbers(uint64_t seed)
      : generator_(static_cast<std::mt19937::result_type>(seed)) {}

  std::vector<float> Draw(uint64_t count, float from, float to);

 private:
  std::mt19937 generator_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_DRAWN_NUMBERS_H_
