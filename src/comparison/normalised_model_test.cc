#include "comparison/normalised_model.h"

#include <gtest/gtest.h>

#include <numeric>

#include "comparison/compare_fingerprints.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

bool Equal(const NormalisedKernels& a, const NormalisedKernels& b) {
  for (size_t kind = 0; kind < kResponseKinds.size(); ++kind) {
    const auto in_a = a.kinds[kind].units.values();
    const auto in_b = b.kinds[kind].units.values();
    if (!std::equal(in_a.begin(), in_a.end(), in_b.begin(), in_b.end())) return false;
    if (a.kinds[kind].norms != b.kinds[kind].norms) return false;
  }
  return a.size() == b.size();
}

TEST(NormalisedModel, GivesWhatIsComputedAnew) {
  const Fingerprint model = FingerprintOf(RandomToyModel(1, 3, 32));
  const NormalisedModel normalised(model);
  std::vector<size_t> anchors(model.anchors.size());
  std::iota(anchors.begin(), anchors.end(), 0);
  // More sets than are kept.
  for (size_t left_out = 0; left_out < 12; ++left_out) {
    std::vector<size_t> some = anchors;
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(left_out));
    const auto first = normalised.KernelsOn(some);
    EXPECT_TRUE(Equal(*first, NormaliseKernels(model, some)));
    EXPECT_EQ(normalised.KernelsOn(some) == first, left_out < 8);
  }
}

TEST(NormalisedModel, IsComparedAsItsFingerprint) {
  const ToyModel toy = RandomToyModel(1, 3, 32);
  const Fingerprint model = FingerprintOf(toy);
  const NormalisedModel normalised(model);
  for (const Fingerprint& other :
       {FingerprintOf(Noised(toy, 0.2, 7)), FingerprintOf(RandomToyModel(2, 3, 32))}) {
    const auto plain = CompareFingerprints(model, other);
    const auto kept = CompareFingerprints(normalised, other);
    ASSERT_TRUE(plain && kept);
    EXPECT_EQ(kept->verdict, plain->verdict);
    EXPECT_EQ(kept->score, plain->score);
    EXPECT_EQ(kept->p_value, plain->p_value);
    EXPECT_EQ(kept->reason, plain->reason);
  }
}

}  // namespace
}  // namespace tensorguard::internal
