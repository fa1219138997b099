// The random streams of the published code, number for number: numpy's legacy RandomState(0) and
// torch's CPU generator seeded with 0. Both are MT19937 seeded by init_genrand, which is what
// std::mt19937 does.
#ifndef TENSORGUARD_PAPER_INPUTS_RANDOM_NUMBERS_H_
#define TENSORGUARD_PAPER_INPUTS_RANDOM_NUMBERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace tensorguard::internal {

// numpy.random.RandomState(seed), the draws that the paper profile makes.
class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : engine_(seed) {}

  // choice(range(count)): uniform in [0, count). REQUIRES: 0 < count <= 2^32.
  uint64_t Choice(uint64_t count);

  // choice(range(count), taken, replace=False): the first `taken` of a Fisher-Yates shuffle.
  // REQUIRES: taken <= count <= 2^32.
  std::vector<size_t> ChoiceWithoutReplacement(size_t count, size_t taken);

 private:
  uint64_t Below(uint64_t last);  // uniform in [0, last] by masked rejection

  std::mt19937 engine_;
};

// torch.Generator on the CPU after manual_seed(seed).
class TorchRandom {
 public:
  explicit TorchRandom(uint32_t seed) : engine_(seed) {}

  // torch.randn(count), float32. From 16 elements on torch fills blocks of 16 by Box-Muller from
  // 24-bit uniforms; below that it draws pairs in double precision.
  std::vector<float> Normal(size_t count);

  // torch.randint(0, bound, (1,)). REQUIRES: 0 < bound < 2^32.
  uint64_t Integer(uint64_t bound) { return engine_() % bound; }

 private:
  std::vector<float> NormalPairs(size_t count);
  void FillUniform(float* out, size_t count);
  double Uniform53();

  std::mt19937 engine_;
  std::optional<double> second_of_pair_;  // torch keeps it for the next draw
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_INPUTS_RANDOM_NUMBERS_H_
