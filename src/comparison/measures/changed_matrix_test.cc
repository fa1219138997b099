#include "comparison/measures/changed_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "comparison/compare_fingerprints.h"
#include "comparison/findings/change_forensics.h"
#include "tests/support/toy_fingerprints.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string TextOf(const Fingerprint& a, const Fingerprint& b, FindingKind kind) {
  const auto comparison = CompareFingerprints(a, b);
  EXPECT_TRUE(comparison);
  std::string text;
  for (const Finding& finding : comparison->findings) {
    if (finding.kind == kind) text += finding.text;
  }
  return text;
}

TEST(ChangesOf, AConstantThatWasAddedIsNoDirectionAndNoLora) {
  const auto base = RandomToyModel(1);
  ToyModel shifted = base;
  for (ToyLayer& layer : shifted.layers) {
    for (arma::mat* matrix : layer.Matrices()) *matrix += 0.2;
  }
  const auto a = FingerprintOf(base);
  const auto b = FingerprintOf(shifted);
  EXPECT_THAT(TextOf(a, b, FindingKind::kShifted), HasSubstr("a constant that was added"));
  EXPECT_THAT(TextOf(a, b, FindingKind::kShifted), HasSubstr("24 of 24 matrices"));
  EXPECT_THAT(TextOf(a, b, FindingKind::kDirection), IsEmpty());
  EXPECT_THAT(TextOf(a, b, FindingKind::kLowRank), IsEmpty());
}

// A direction that was added must not be said to have been removed from the other.
TEST(ChangesOf, OneDirectionThatWasAddedIsNotSaidToBeRemoved) {
  const auto base = RandomToyModel(1);
  ToyModel steered = base;
  std::mt19937 generator(8);
  const arma::vec direction = arma::normalise(arma::vectorise(RandomMatrix(64, 1, generator)));
  for (ToyLayer& layer : steered.layers) {
    for (arma::mat* writer : {&layer.output, &layer.down}) {
      *writer += 12 * direction * RandomMatrix(1, writer->n_cols, generator) / 4;
    }
  }
  const auto text = TextOf(FingerprintOf(base), FingerprintOf(steered), FindingKind::kDirection);
  EXPECT_THAT(text, HasSubstr("same direction in every matrix"));
  EXPECT_THAT(text, HasSubstr("or added to it in the other"));
  EXPECT_EQ(CompareFingerprints(FingerprintOf(base), FingerprintOf(steered))->derived,
            std::nullopt);
}

// One number of a large matrix is less than its sketch shows, and not the same.
TEST(ChangesOf, AnEditTooSmallForSketchesIsToldByDigests) {
  const auto base = RandomToyModel(1);
  ToyModel edited = base;
  edited.layers[2].down(5, 7) += 0.05;
  const auto a = FingerprintOf(base);
  const auto b = FingerprintOf(edited);
  EXPECT_THAT(TextOf(a, b, FindingKind::kEqualWeights), IsEmpty());
  EXPECT_THAT(TextOf(a, b, FindingKind::kEdit),
              HasSubstr("1 of 24 matrices changed by less than 0.001 of the norm"));
  EXPECT_THAT(TextOf(a, b, FindingKind::kEdit), HasSubstr("down"));
}

Fingerprint WithGains(Fingerprint model, float gain) {
  WeightSummary norm{.tensor = "norm", .is_vector = true, .rows = 64, .columns = 1, .norm = gain};
  norm.role.role = Role::kNorm;
  norm.digest[0] = static_cast<uint8_t>(10 * gain);
  norm.sketch = FloatMatrix(1, kSketchSize);
  for (float& value : norm.sketch.Row(0)) value = gain;
  for (uint32_t layer = 0; layer < 2; ++layer) {
    norm.role.layer = layer;
    model.weights.push_back(norm);
  }
  return model;
}

TEST(FindVectorChanges, NamesGainsThatChangedBesideMatricesThatDidNot) {
  const auto toy = FingerprintOf(RandomToyModel(1));
  const auto a = WithGains(toy, 1);
  auto b = WithGains(toy, 1.2f);
  EXPECT_THAT(TextOf(a, b, FindingKind::kVectors), HasSubstr("2 of 2 norm gains"));
  EXPECT_THAT(TextOf(a, b, FindingKind::kEqualWeights), HasSubstr("All 24 matrices"));
  EXPECT_THAT(TextOf(a, a, FindingKind::kVectors), IsEmpty());
}

}  // namespace
}  // namespace tensorguard::internal
