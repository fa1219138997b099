// What is measured of single weights: against plain loops, by hand, and for any number of threads.
#include "profile/weights/weight_summaries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fingerprint/learned_matrix.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"
#include "profile/weights/weight_measures.h"
#include "tests/support/random_models.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;

// A fixed number between -1 and 1 for each element, and exact zeros in `zero_share` of them.
TensorValues Random(std::vector<uint64_t> shape, uint64_t seed, double zero_share = 0) {
  TensorValues tensor = Counted(std::move(shape));
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    const double value = static_cast<double>(RandomBits(seed, i) >> 11) / (1ull << 53);
    const double chance = static_cast<double>(RandomBits(~seed, i) >> 11) / (1ull << 53);
    tensor.values[i] = chance < zero_share ? 0.0f : static_cast<float>(2 * value - 1);
  }
  return tensor;
}

std::vector<WeightSummary> Summarise(const Model& model, unsigned threads = 1) {
  const auto weights = SplitWeights(model);
  EXPECT_TRUE(weights) << DescribeError(weights.error());
  const auto summaries = SummariseWeights(*model.weights, *weights, threads);
  EXPECT_TRUE(summaries) << DescribeError(summaries.error());
  return summaries ? *summaries : std::vector<WeightSummary>();
}

WeightSummary SummaryOf(TensorValues tensor) {
  return Summarise(ModelOf({{"model.layers.0.self_attn.k_proj.weight", std::move(tensor)}})).at(0);
}

void ExpectNear(double value, double expected) {
  EXPECT_NEAR(value, expected, 1e-9 * std::max(1.0, std::abs(expected)));
}

void ExpectNear(std::optional<double> value, std::optional<double> expected) {
  ASSERT_EQ(value.has_value(), expected.has_value());
  if (value) ExpectNear(*value, *expected);
}

void ExpectSame(const WeightSummary& fast, const WeightSummary& plain) {
  SCOPED_TRACE(fast.tensor);
  EXPECT_EQ(fast.tensor, plain.tensor);
  EXPECT_EQ(fast.rows, plain.rows);
  EXPECT_EQ(fast.columns, plain.columns);
  EXPECT_EQ(fast.digest, plain.digest);
  ExpectNear(fast.norm, plain.norm);
  ExpectNear(fast.mean, plain.mean);
  for (size_t i = 0; i < fast.quantiles.size(); ++i) {
    EXPECT_NEAR(fast.quantiles[i], plain.quantiles[i], 1e-6);
  }
  ExpectNear(fast.zero_fraction, plain.zero_fraction);
  ExpectNear(fast.zero_row_fraction, plain.zero_row_fraction);
  ExpectNear(fast.zero_column_fraction, plain.zero_column_fraction);
  ExpectNear(fast.two_of_four_fraction, plain.two_of_four_fraction);
  ExpectNear(fast.distinct_per_32, plain.distinct_per_32);
  ExpectNear(fast.distinct_per_256, plain.distinct_per_256);
  EXPECT_EQ(fast.digest_as_bfloat16, plain.digest_as_bfloat16);
  EXPECT_EQ(fast.digest_as_float16, plain.digest_as_float16);
  EXPECT_EQ(fast.row_sample.digests, plain.row_sample.digests);
  ASSERT_EQ(fast.row_sample.projections.rows(), plain.row_sample.projections.rows());
  EXPECT_TRUE(std::ranges::equal(fast.row_sample.projections.values(),
                                 plain.row_sample.projections.values()));
  ASSERT_EQ(fast.sketch.rows(), plain.sketch.rows());
  for (size_t i = 0; i < fast.sketch.values().size(); ++i) {
    EXPECT_NEAR(fast.sketch.values()[i], plain.sketch.values()[i], 1e-5 * plain.norm);
  }
}

// Small and odd shapes, vectors, several blocks of rows, sampled quantiles and groups, zeros.
TEST(SummariseWeights, AgreesWithPlainLoopsForAnyNumberOfThreads) {
  const std::string attention = "model.layers.0.self_attn.";
  const Model model = ModelOf({{attention + "q_proj.weight", Random({7, 5}, 1)},
                               {attention + "k_proj.weight", Random({40, 300}, 2, 0.4)},
                               {attention + "v_proj.weight", Random({2200, 513}, 3, 0.0001)},
                               {attention + "o_proj.weight", Random({1, 3}, 4)},
                               {attention + "q_proj.bias", Random({5}, 5)},
                               {"model.layers.0.mlp.up_proj.weight", Random({9, 3}, 6, 0.7)},
                               {"model.embed_tokens.weight", Random({40'000, 9}, 8, 0.01)},
                               {"model.norm.weight", Random({70}, 7, 0.5)}});
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  const auto one = Summarise(model, 1);
  const auto five = Summarise(model, 5);
  ASSERT_EQ(one.size(), weights->size());
  for (size_t i = 0; i < weights->size(); ++i) {
    const Weight& weight = weights->at(i);
    const auto plain =
        SummarisePlainly(*model.weights, weight, HasSketch(weight), HasRowSample(weight));
    ASSERT_TRUE(plain);
    ExpectSame(one[i], *plain);
    EXPECT_EQ(one[i].norm, five[i].norm);
    EXPECT_EQ(one[i].mean, five[i].mean);
    EXPECT_EQ(one[i].digest, five[i].digest);
    EXPECT_EQ(one[i].quantiles, five[i].quantiles);
    EXPECT_EQ(one[i].row_sample.digests, five[i].row_sample.digests);
    EXPECT_EQ(one[i].zero_column_fraction, five[i].zero_column_fraction);
    for (size_t k = 0; k < one[i].sketch.values().size(); ++k) {
      EXPECT_EQ(one[i].sketch.values()[k], five[i].sketch.values()[k]);
    }
  }
}

TEST(SummariseWeights, CountsByHand) {
  const auto summary = SummaryOf({.shape = {3, 5},
                                  .values = {1, 0, 2, 0, 3,      //
                                             0, 0, -0.0f, 0, 0,  //
                                             4, 0, 5, 6, 7}});
  EXPECT_DOUBLE_EQ(summary.zero_fraction, 8.0 / 15);
  EXPECT_DOUBLE_EQ(summary.zero_row_fraction, 1.0 / 3);
  EXPECT_DOUBLE_EQ(summary.zero_column_fraction, 1.0 / 5);
  EXPECT_DOUBLE_EQ(*summary.two_of_four_fraction, 2.0 / 3);
  EXPECT_FALSE(summary.distinct_per_32);
  EXPECT_THAT(summary.quantiles, ElementsAre(0, 0, 0, 0, 0, 3.5f, 6.3f, 6.86f, 7));
  EXPECT_EQ(summary.dtype, "F32");
}

TEST(SummariseWeights, CountsDifferentValuesOfNeighbours) {
  TensorValues tensor = Counted({2, 300});
  for (float& value : tensor.values) value = std::fmod(value, 16.0f);
  const auto summary = SummaryOf(tensor);
  EXPECT_DOUBLE_EQ(*summary.distinct_per_32, 16);
  EXPECT_DOUBLE_EQ(*summary.distinct_per_256, 16);
}

TEST(SummariseWeights, SameNumbersHaveOneDigestHoweverTheyAreStored) {
  const TensorValues fused = Random({6, 4}, 1);
  TensorValues gate = {.shape = {3, 4}, .values = {}};
  gate.values.assign(fused.values.begin(), fused.values.begin() + 12);
  TensorValues turned = {.shape = {4, 3}, .values = std::vector<float>(12)};
  for (size_t i = 0; i < 12; ++i) turned.values[i % 4 * 3 + i / 4] = gate.values[i];

  const auto split = Summarise(ModelOf({{"model.layers.0.mlp.gate_up_proj.weight", fused}}));
  const auto single = Summarise(ModelOf({{"model.layers.0.mlp.gate_proj.weight", gate}}));
  const auto major = Summarise(ModelOf({{"model/layers/0/mlp/gate_proj/kernel", turned}}));
  ASSERT_TRUE(major.at(0).role.input_major);
  EXPECT_EQ(split.at(0).digest, single.at(0).digest);
  EXPECT_EQ(split.at(0).digest, major.at(0).digest);
  EXPECT_NE(split.at(0).digest, split.at(1).digest);
}

TEST(SummariseWeights, SketchesAreLinearAndKeepTheNorm) {
  const std::vector<uint64_t> shape = {300, 200};
  const TensorValues a = Random(shape, 1);
  const TensorValues b = Random(shape, 2);
  TensorValues sum = a;
  for (size_t i = 0; i < sum.values.size(); ++i) sum.values[i] = a.values[i] - 2 * b.values[i];
  const auto sketch_a = SummaryOf(a);
  const auto sketch_b = SummaryOf(b);
  const auto sketch_sum = SummaryOf(sum);
  double squares = 0;
  for (size_t i = 0; i < kSketchSize * kSketchSize; ++i) {
    const float expected = sketch_a.sketch.values()[i] - 2 * sketch_b.sketch.values()[i];
    EXPECT_NEAR(sketch_sum.sketch.values()[i], expected, 1e-3);
    squares += std::pow(sketch_a.sketch.values()[i], 2);
  }
  // 1024 numbers estimate the norm to some percent.
  EXPECT_NEAR(std::sqrt(squares) / sketch_a.norm, 1, 0.15);
}

TEST(SummariseWeights, LeavesSketchesOfVocabularyTablesOut) {
  const auto summaries = Summarise(ModelOf({{"model.embed_tokens.weight", Random({50, 8}, 1)},
                                            {"lm_head.weight", Random({50, 8}, 2)},
                                            {"model.norm.weight", Random({8}, 3)}}));
  ASSERT_EQ(summaries.size(), 3u);
  EXPECT_TRUE(summaries[0].sketch.values().empty());
  EXPECT_TRUE(summaries[1].sketch.values().empty());
  EXPECT_EQ(summaries[2].sketch.rows(), 1u);
}

TEST(SummariseWeights, MeasuresEveryExpertAndSketchesTheFirst) {
  const auto summaries =
      Summarise(ModelOf({{"model.layers.0.mlp.experts.down_proj", Random({40, 3, 2}, 1)}}));
  ASSERT_EQ(summaries.size(), 40u);
  for (uint32_t expert = 0; expert < 40; ++expert) {
    EXPECT_EQ(summaries[expert].role.expert, expert);
    EXPECT_EQ(summaries[expert].sketch.rows() > 0, expert < kExpertsKept);
    EXPECT_GT(summaries[expert].norm, 0);
  }
  EXPECT_NE(summaries[38].digest, summaries[39].digest);
}

TEST(SummariseWeights, SamplesRowsOfTablesOfTokensAndPositions) {
  const auto summaries = Summarise(ModelOf({{"transformer.wte.weight", Random({50, 8}, 1)},
                                            {"transformer.wpe.weight", Random({20, 8}, 2)},
                                            {"transformer.h.0.mlp.c_fc.weight", Random({8, 9}, 3)},
                                            {"transformer.ln_f.weight", Random({8}, 3)}}));
  ASSERT_EQ(summaries.size(), 4u);
  for (const WeightSummary& summary : summaries) {
    const bool tokens = summary.role.role == Role::kEmbedding;
    const bool positions = summary.role.role == Role::kPositionEmbedding;
    const size_t rows = tokens ? 50 : positions ? 20 : 0;
    EXPECT_EQ(summary.row_sample.digests.size(), rows) << summary.tensor;
    EXPECT_EQ(summary.row_sample.projections.rows(), rows) << summary.tensor;
    EXPECT_EQ(summary.sketch.rows() == 0, tokens) << summary.tensor;
  }
}

TEST(SummariseWeights, SketchesTowersButCountsNoneOfTheirMatricesAsTheModels) {
  const auto summaries = Summarise(ModelOf(
      {{"vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight", Random({40, 40}, 1)},
       {"multi_modal_projector.linear_1.weight", Random({40, 40}, 2)},
       {"language_model.model.layers.0.self_attn.q_proj.weight", Random({40, 40}, 3)}}));
  ASSERT_EQ(summaries.size(), 3u);
  for (const WeightSummary& summary : summaries) {
    const bool of_text = summary.tensor.starts_with("language_model");
    EXPECT_EQ(summary.role.role != Role::kModality, of_text) << summary.tensor;
    EXPECT_EQ(summary.sketch.rows(), kSketchSize);
    EXPECT_EQ(IsLearnedMatrix(summary), of_text);
  }
}

// A copy in a narrower type has the digest that the model's own fingerprint tells of.
TEST(SummariseWeights, KnowsTheDigestsOfCopiesInNarrowerTypes) {
  const std::string name = "model.layers.0.self_attn.k_proj.weight";
  TensorValues tensor = Random({600, 700}, 1);  // two blocks
  // Ties either way, subnormal numbers of float16, numbers that it takes for 0, and -0.
  const float special[] = {1 + 0x1p-8f,  1 + 3 * 0x1p-8f, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f,
                           0x1.5p-15f,   0x1.23456p-20f,  3 * 0x1p-25f, 0x1p-25f,
                           0x1.8p-25f,   -0x1p-30f,       -0.0f,        65519.0f,
                           -0x1.fep-15f, 0x1.ffffffp-15f};
  std::copy(std::begin(special), std::end(special), tensor.values.begin());
  const auto wide = SummaryOf(tensor);
  for (const auto& [dtype, digest] : {std::pair{DType::kBF16, wide.digest_as_bfloat16},
                                      std::pair{DType::kF16, wide.digest_as_float16}}) {
    std::vector<std::byte> bytes(2 * tensor.values.size());
    ASSERT_FALSE(EncodeFloats(dtype, tensor.values, bytes));
    TensorValues copy = tensor;
    if (dtype == DType::kBF16) {
      DecodeBrainFloats(bytes, copy.values);
    } else {
      DecodeHalfFloats(bytes, copy.values);
    }
    const auto narrow = SummaryOf(copy);
    ASSERT_TRUE(digest);
    EXPECT_EQ(*digest, narrow.digest);
    EXPECT_NE(narrow.digest, wide.digest);
    // Of numbers that the type holds there is nothing to tell.
    EXPECT_FALSE(dtype == DType::kBF16 ? narrow.digest_as_bfloat16 : narrow.digest_as_float16);
  }
  tensor.values[5] = 65520;  // rounds to infinity
  EXPECT_FALSE(SummaryOf(tensor).digest_as_float16);
  EXPECT_TRUE(SummaryOf(tensor).digest_as_bfloat16);
}

TEST(SummariseWeights, RefusesNumbersThatAreNotFinite) {
  TensorValues tensor = Random({3, 4}, 1);
  tensor.values[7] = std::numeric_limits<float>::quiet_NaN();
  const Model model = ModelOf({{"model.layers.0.self_attn.k_proj.weight", tensor}});
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  const auto summaries = SummariseWeights(*model.weights, *weights);
  ASSERT_FALSE(summaries);
  EXPECT_EQ(summaries.error().problem, "weights are not finite numbers");

  // Finite numbers whose products with the first probe are not.
  const FloatMatrix probes = ProbeMatrix(64);
  tensor = {.shape = {1, 64}, .values = {}};
  for (size_t i = 0; i < 64; ++i) {
    tensor.values.push_back(std::copysign(std::numeric_limits<float>::max(), probes.Row(i)[0]));
  }
  const Model large = ModelOf({{"model.layers.0.self_attn.k_proj.weight", tensor}});
  const auto large_weights = SplitWeights(large);
  ASSERT_TRUE(large_weights);
  const auto too_large = SummariseWeights(*large.weights, *large_weights);
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().problem, "weights are too large to sketch");
  EXPECT_EQ(too_large.error().tensor, "model.layers.0.self_attn.k_proj.weight");
}

TEST(SketchRows, IsTheRowsTimesTheProbes) {
  const Model model = ModelOf({{"model.embed_tokens.weight", Random({50, 8}, 1)}});
  const auto weights = SplitWeights(model);
  ASSERT_TRUE(weights);
  const std::vector<uint32_t> rows = {3, 41};
  const auto sketch = SketchRows(*model.weights, weights->at(0), rows);
  const auto table = ReadWeight(*model.weights, weights->at(0));
  ASSERT_TRUE(sketch && table);
  const FloatMatrix probes = ProbeMatrix(8);
  float sum = 0;
  for (size_t i = 0; i < 8; ++i) sum += table->Row(41)[i] * probes.Row(i)[5];
  EXPECT_NEAR(sketch->Row(1)[5], sum, 1e-6);
}

// These numbers are part of the format: a change of them must raise its version.
TEST(ProbeNumbers, AreThoseOfTheFormat) {
  EXPECT_EQ(RandomBits(0, 0), 0xe220'a839'7b1d'cdafu);  // SplitMix64 from 0, as published
  EXPECT_EQ(RandomBits(0, 1), 0x6e78'9e6a'a1b9'65f4u);
  // Computed by the document with another program.
  const FloatMatrix probes = ProbeMatrix(100);
  EXPECT_FLOAT_EQ(probes.Row(0)[0], -0.2294921875f);
  EXPECT_FLOAT_EQ(probes.Row(0)[1], -0.1689453125f);
  EXPECT_FLOAT_EQ(probes.Row(99)[30], 0.5f);
  EXPECT_FLOAT_EQ(probes.Row(99)[31], 0.224609375f);
  EXPECT_EQ(OutputBuckets(1000).Of(0).bucket, 23u);
  EXPECT_EQ(OutputBuckets(1000).Of(0).sign, -1);
  EXPECT_EQ(OutputBuckets(1000).Of(1).bucket, 6u);
  EXPECT_EQ(OutputBuckets(1000).Of(1).sign, 1);
  EXPECT_EQ(FixedSample(1'000'003, 1000).Position(1), 1322u);
  EXPECT_EQ(FixedSample(1'000'003, 1000).Position(999), 999'081u);
  double squares = 0;
  for (const float value : probes.values()) squares += value * value;
  EXPECT_NEAR(squares, 100, 5);
  std::set<size_t> buckets;
  const OutputBuckets outputs(1000);
  for (uint64_t row = 0; row < 1000; ++row) buckets.insert(outputs.Of(row).bucket);
  EXPECT_EQ(buckets.size(), kSketchSize);
}

TEST(FixedSample, HoldsAscendingPositions) {
  const FixedSample all(5, 10);
  ASSERT_EQ(all.size(), 5u);
  for (uint64_t k = 0; k < 5; ++k) EXPECT_EQ(all.Position(k), k);
  const FixedSample some(1'000'003, 1000);
  ASSERT_EQ(some.size(), 1000u);
  for (uint64_t k = 0; k < 1000; ++k) {
    ASSERT_LT(some.Position(k), 1'000'003u);
    if (k > 0) {
      ASSERT_LT(some.Position(k - 1), some.Position(k));
    }
    ASSERT_EQ(some.FirstNotBelow(some.Position(k)), k);
    ASSERT_EQ(some.FirstNotBelow(some.Position(k) + 1), k + 1);
  }
}

}  // namespace
}  // namespace tensorguard::internal
