// Comparisons of real, if small, models with known ancestry.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "comparison/compare_fingerprints.h"
#include "comparison/merges/merge_parents.h"
#include "model/model.h"
#include "profile/full_profile.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

Fingerprint FingerprintOfZoo(const std::string& name) {
  const auto model = OpenModel(SharedData("zoo") / name);
  EXPECT_TRUE(model) << DescribeError(model.error());
  auto fingerprint = ComputeFullFingerprint(*model);
  EXPECT_TRUE(fingerprint) << DescribeError(fingerprint.error());
  return *std::move(fingerprint);
}

Verdict VerdictOn(const Fingerprint& a, const Fingerprint& b) {
  const auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison);
  return comparison->verdict;
}

TEST(ZooComparison, TellsCopiesStudentsAndTwinsApart) {
  SKIP_WITHOUT(SharedData("zoo"));
  const auto base = FingerprintOfZoo("cedar");
  EXPECT_EQ(VerdictOn(base, FingerprintOfZoo("cedar--cpt")), Verdict::kDerived);
  EXPECT_EQ(VerdictOn(base, FingerprintOfZoo("cedar--launder-all-sft")), Verdict::kReparameterised);
  EXPECT_EQ(VerdictOn(base, FingerprintOfZoo("cedar--distill")), Verdict::kIndependent);
  EXPECT_EQ(VerdictOn(FingerprintOfZoo("birch"), FingerprintOfZoo("ginkgo")),
            Verdict::kSharedInitialisation);
}

TEST(ZooComparison, NamesTheParentsOfAMergeAlone) {
  SKIP_WITHOUT(SharedData("zoo"));
  const auto base = FingerprintOfZoo("alder");
  const auto first = FingerprintOfZoo("alder--sft1");
  const auto second = FingerprintOfZoo("alder--sft2");
  const auto merged = FingerprintOfZoo("alder--merge-linear");
  const auto merge = FindMergeParents(merged, std::vector{&base, &first, &second});
  ASSERT_TRUE(merge);
  ASSERT_EQ(merge->parents.size(), 2u);
  EXPECT_NEAR(merge->parents[0].weight, 0.5, 0.01);
  EXPECT_FALSE(FindMergeParents(first, std::vector{&base, &second}));
}

}  // namespace
}  // namespace tensorguard::internal
