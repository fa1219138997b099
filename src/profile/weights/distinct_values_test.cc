// Different values among a few: against a set, in both types, on every instruction set.
#include "profile/weights/distinct_values.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <set>
#include <vector>

#include "fingerprint/sketches/probe_numbers.h"

namespace tensorguard::internal {
namespace {

// `values` different values at most, and -0 for every other 0.
std::vector<BFloat16> RandomNumbers(size_t count, uint64_t values) {
  std::vector<BFloat16> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t value = RandomBits(5, i) % values;
    numbers[i] = static_cast<BFloat16>(value == 0 && i % 2 == 0 ? 0x8000 : value * 0x28);
  }
  return numbers;
}

TEST(DistinctValues, AgreesWithASetInBothTypesOnEveryInstructionSet) {
  for (int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    for (const uint64_t values : {1, 2, 16, 200, 800}) {
      for (const size_t count : {0, 1, 2, 7, 31, 32, 33, 100, 255, 256}) {
        const auto narrow = RandomNumbers(count, values);
        std::vector<float> wide(count);
        std::transform(narrow.begin(), narrow.end(), wide.begin(),
                       [](BFloat16 value) { return ToFloat32(value); });
        const size_t expected = std::set<float>(wide.begin(), wide.end()).size();
        EXPECT_EQ(DistinctValues(wide), expected) << hwy::TargetName(targets & -targets);
        EXPECT_EQ(DistinctValues(narrow), expected) << hwy::TargetName(targets & -targets);
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace
}  // namespace tensorguard::internal
