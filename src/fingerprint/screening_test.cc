#include "fingerprint/screening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/stored_fingerprint.h"
#include "tests/support/random_fingerprints.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

constexpr size_t kLength = kScreenedParts * kScreeningLength;

// A decoder of attention layers whose numbers hang on `seed`; `noise` of another seed's are added.
Fingerprint ModelOf(size_t layers, uint64_t seed, float noise = 0, uint64_t noise_seed = 99) {
  constexpr size_t kAnchors = 40;
  const auto numbers = [&](size_t rows, size_t columns, uint64_t table) {
    FloatMatrix own = NumbersOf(rows, columns, 1000 * seed + table);
    const FloatMatrix other = NumbersOf(rows, columns, 1000 * noise_seed + table);
    for (size_t i = 0; i < own.values().size(); ++i) own.values()[i] += noise * other.values()[i];
    return own;
  };
  Fingerprint print = {.model_name = "model", .vocabulary_size = 1000, .hidden_size = 64};
  for (uint32_t i = 0; i < kAnchors; ++i) {
    print.anchors.push_back(2 * i);
    print.anchor_tokens.push_back(i);
  }
  print.anchor_list_version = kAnchorListVersion;
  print.input_gram = numbers(kAnchors, kAnchors, 1);
  print.output_gram = numbers(kAnchors, kAnchors, 2);
  print.cross_gram = numbers(kAnchors, kAnchors, 3);
  for (uint32_t i = 0; i < layers; ++i) {
    print.layers.push_back({.index = i,
                            .mixer = MixerKind::kAttention,
                            .mixer_name = "attention",
                            .query_key = numbers(kAnchors, kAnchors, 10 + 5 * i),
                            .output_value = numbers(kAnchors, kAnchors, 11 + 5 * i),
                            .feed_forward = numbers(kAnchors, kAnchors, 12 + 5 * i)});
    WeightSummary weight = SummaryNamed("up", Role::kUp, 128, 64, i);
    weight.role.layer = i;
    weight.sketch = numbers(kSketchSize, kSketchSize, 13 + 5 * i);
    print.weights.push_back(weight);
  }
  return print;
}

TEST(Screening, IsHighForTheModelItselfAndLowForOthers) {
  const auto model = ScreeningOf(ModelOf(6, 1));
  EXPECT_NEAR(ScreeningScore(model, model), 1, 1e-6);
  EXPECT_GT(ScreeningScore(model, ScreeningOf(ModelOf(6, 1, 0.5f))), 0.8);
  for (uint64_t seed = 2; seed < 12; ++seed) {
    EXPECT_LT(ScreeningScore(model, ScreeningOf(ModelOf(6, seed))), 0.3) << seed;
  }
}

TEST(Screening, FindsLayersThatWereTakenOut) {
  const Fingerprint model = ModelOf(6, 1);
  Fingerprint shorter = model;
  for (const size_t layer : {4, 1}) {
    shorter.layers.erase(shorter.layers.begin() + static_cast<ptrdiff_t>(layer));
    shorter.weights.erase(shorter.weights.begin() + static_cast<ptrdiff_t>(layer));
  }
  EXPECT_GT(ScreeningScore(ScreeningOf(model), ScreeningOf(shorter)), 0.8);
  EXPECT_GT(ScreeningScore(ScreeningOf(shorter), ScreeningOf(model)), 0.8);
}

TEST(Screening, MeetsInTheAnchorsThatBothHave) {
  const Fingerprint model = ModelOf(6, 1);
  Fingerprint other = model;
  for (WeightSummary& weight : other.weights) weight.rows = 96;  // another shape: no help from here
  for (size_t i = 36; i < other.anchors.size(); ++i) other.anchors[i] += 7;
  EXPECT_GT(ScreeningScore(ScreeningOf(model), ScreeningOf(other)), 0.4);
  for (uint32_t& anchor : other.anchors) anchor += 100;
  EXPECT_LT(ScreeningScore(ScreeningOf(model), ScreeningOf(other)), 0.2);
}

TEST(Screening, RowsAndTokensDoNotMeet) {
  const Fingerprint tokens = ModelOf(6, 1);
  Fingerprint rows = tokens;
  rows.anchor_kind = AnchorKind::kRows;
  for (WeightSummary& weight : rows.weights) weight.rows = 96;
  EXPECT_LT(ScreeningScore(ScreeningOf(tokens), ScreeningOf(rows)), 0.2);
  Fingerprint larger = rows;
  larger.vocabulary_size = 2000;
  for (WeightSummary& weight : larger.weights) weight.rows = 80;
  EXPECT_LT(ScreeningScore(ScreeningOf(larger), ScreeningOf(rows)), 0.2);
  larger.vocabulary_size = rows.vocabulary_size;
  EXPECT_GT(ScreeningScore(ScreeningOf(larger), ScreeningOf(rows)), 0.8);
}

TEST(Screening, EstimatesTheCosine) {
  // Parts of one layer against each other: the mean error over many seeds.
  double squares = 0;
  constexpr int kRounds = 40;
  for (uint64_t seed = 0; seed < kRounds; ++seed) {
    const auto a = ScreeningOf(ModelOf(1, 2 * seed + 1));
    const auto b = ScreeningOf(ModelOf(1, 2 * seed + 2));
    double dot = 0;
    for (size_t i = 0; i < kScreeningLength; ++i) dot += a.numbers()[i] * b.numbers()[i];
    const double cosine = dot * a.InverseNorms(0)[0] * b.InverseNorms(0)[0];
    squares += cosine * cosine;
  }
  EXPECT_LT(std::sqrt(squares / kRounds), 1.4 / 8);
}

TEST(Screening, ScoresAsPlainLoopsDo) {
  std::vector<int8_t> numbers(2 * kLength);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int8_t>(static_cast<int>(RandomBits(3, i) % 255) - 127);
  }
  const ScreeningSignature both(numbers);
  const ScreeningSignature second(std::vector<int8_t>(numbers.begin() + kLength, numbers.end()));
  EXPECT_NEAR(ScreeningScore(both, second), 1, 1e-6);
  numbers.resize(kLength);
  const ScreeningSignature first(numbers);
  double kernels = 0;
  double weights = 0;
  for (size_t part = 0; part < kScreenedParts; ++part) {
    double dot = 0;
    double a = 0;
    double b = 0;
    for (size_t i = part * kScreeningLength; i < (part + 1) * kScreeningLength; ++i) {
      dot += first.numbers()[i] * second.numbers()[i];
      a += first.numbers()[i] * first.numbers()[i];
      b += second.numbers()[i] * second.numbers()[i];
    }
    (part < 3 ? kernels : weights) += dot / std::sqrt(a * b);
  }
  kernels = std::max(0.0, kernels / 3);
  weights = std::max(0.0, weights);
  EXPECT_NEAR(ScreeningScore(first, second), 1 - (1 - kernels * kernels) * (1 - weights * weights),
              1e-6);
}

TEST(Screening, AModelWithoutLayersScoresNothing) {
  const ScreeningSignature none({});
  EXPECT_EQ(ScreeningScore(none, ScreeningOf(ModelOf(2, 1))), 0);
}

TEST(Screening, IsReadOnItsOwnAndHeldAgainstTheRest) {
  const ScratchFolder folder;
  const auto path = folder.path() / "x.fingerprint.safetensors";
  const Fingerprint print = AsStored(ModelOf(3, 1));
  ASSERT_TRUE(WriteFingerprint(print, path));
  const auto stored = ReadScreening(path);
  ASSERT_TRUE(stored) << DescribeError(stored.error());
  EXPECT_EQ(stored->layers(), 3u);
  EXPECT_TRUE(CheckScreening(*stored, *ReadFingerprint(path)));
  const auto other = CheckScreening(*stored, AsStored(ModelOf(3, 2)));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().problem, HasSubstr("not that of the kernels"));
}

}  // namespace
}  // namespace tensorguard::internal
