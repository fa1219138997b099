#include "paper/inputs/fourier.h"

#include <gtest/gtest.h>

#include "paper/inputs/random_numbers.h"

namespace tensorguard::internal {
namespace {

class KeepFrequenciesOfLength : public testing::TestWithParam<size_t> {};

TEST_P(KeepFrequenciesOfLength, AgreesWithTheDefinition) {
  const size_t n = GetParam();
  const std::vector<float> signal = TorchRandom(0).Normal(n);
  const size_t bins = n / 2 + 1;
  for (const auto& [first, last] : {std::pair<size_t, size_t>{0, bins / 4},
                                    {0, bins / 8},
                                    {bins / 2, bins},
                                    {0, bins},
                                    {0, 0}}) {
    const auto fast = KeepFrequencies(signal, first, last);
    const auto plain = KeepFrequenciesReference(signal, first, last);
    for (size_t i = 0; i < n; ++i) ASSERT_NEAR(fast[i], plain[i], 1e-5) << "element " << i;
  }
}

// 1 and 2: the smallest; 97 and 1009: primes, 1009 and 134 = 2 * 67 by Bluestein's detour.
INSTANTIATE_TEST_SUITE_P(Lengths, KeepFrequenciesOfLength,
                         testing::Values(1, 2, 3, 15, 16, 96, 97, 134, 255, 256, 1009));

TEST(KeepFrequencies, AllBinsGiveTheSignalBack) {
  const std::vector<float> signal = TorchRandom(0).Normal(50257);  // a prime: GPT-2's vocabulary
  const auto kept = KeepFrequencies(signal, 0, signal.size());
  for (size_t i = 0; i < signal.size(); ++i) ASSERT_NEAR(kept[i], signal[i], 1e-5);
}

}  // namespace
}  // namespace tensorguard::internal
