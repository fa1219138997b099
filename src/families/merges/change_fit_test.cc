#include "families/merges/change_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "fingerprint/learned_matrix.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

constexpr size_t kOrigin = 0;
constexpr size_t kChild = 1;
constexpr size_t kParent = 2;
constexpr size_t kMatrices = 40;

// The parent's change has length 1 in every matrix; the child holds `share` of it, and what is
// other has the squared length `other`, both by matrix.
template <typename Share, typename Other>
ChangeProducts ChangesWith(const Share& share, const Other& other) {
  Kinship of_child;
  Kinship of_parent;
  Kinship between;
  for (size_t matrix = 0; matrix < kMatrices; ++matrix) {
    const double held = share(matrix);
    of_child.squared_distances.push_back(held * held + other(matrix));
    of_parent.squared_distances.push_back(1);
    between.squared_distances.push_back((1 - held) * (1 - held) + other(matrix));
  }
  Kinships kinships;
  kinships.Add(kOrigin, kChild, of_child);
  kinships.Add(kOrigin, kParent, of_parent);
  kinships.Add(kChild, kParent, between);
  std::vector<size_t> stored(kMatrices);
  std::iota(stored.begin(), stored.end(), size_t{0});
  return ChangeProducts({kChild, kParent}, kOrigin, stored, kinships);
}

bool IsThinnedWhere(const ChangeProducts& changes) {
  const auto fit = FitTo(changes, {1});
  EXPECT_TRUE(fit);
  return fit && IsThinned(changes, *fit);
}

TEST(ChangeProducts, AreFittedOverAllMatrices) {
  const ChangeProducts changes =
      ChangesWith([](size_t) { return 0.8; }, [](size_t) { return 0.36; });
  const auto fit = FitTo(changes, {1});
  ASSERT_TRUE(fit);
  EXPECT_NEAR(fit->weights(0), 0.8, 1e-9);
  EXPECT_NEAR(fit->explained, 0.64, 1e-9);
  EXPECT_NEAR(changes.Cosine(0, 1), 0.8, 1e-9);
}

TEST(ChangeProducts, OfDroppedNumbersAreEvenerThanTrainingLeavesThem) {
  EXPECT_TRUE(IsThinnedWhere(ChangesWith([](size_t) { return 0.5; }, [](size_t) { return 0.25; })));
  // Another share dropped of each tensor, all of what is left as it was.
  EXPECT_TRUE(IsThinnedWhere(ChangesWith(
      [](size_t) { return 1.0; }, [](size_t matrix) { return matrix % 2 == 0 ? 0.3 : 0.5; })));
  const auto learned = [](size_t matrix) { return matrix % 2 == 0 ? 0.85 : 1.15; };
  EXPECT_FALSE(IsThinnedWhere(
      ChangesWith(learned, [](size_t matrix) { return matrix % 2 == 0 ? 0.2 : 0.6; })));
}

// Tools merge tensor by tensor: queries, keys and values in one tensor are trimmed as one.
TEST(StoredTensors, CountMatricesOfOneTensorOnce) {
  Fingerprint model = FingerprintOf(RandomToyModel(1));
  std::vector<WeightSummary*> matrices;
  for (WeightSummary& weight : model.weights) {
    if (IsLearnedMatrix(weight)) matrices.push_back(&weight);
  }
  ASSERT_GE(matrices.size(), 4u);
  std::vector<size_t> apart(matrices.size());
  std::iota(apart.begin(), apart.end(), size_t{0});
  for (size_t i = 0; i < matrices.size(); ++i) matrices[i]->tensor = std::to_string(i);
  EXPECT_EQ(StoredTensorsOf(model), apart);
  matrices[1]->tensor = matrices[2]->tensor = "0";
  const auto stored = StoredTensorsOf(model);
  EXPECT_THAT(std::vector<size_t>(stored.begin(), stored.begin() + 4), ElementsAre(0, 0, 0, 1));
}

}  // namespace
}  // namespace tensorguard::internal
