// Changes that damage do what they say, and refuse what does not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fingerprint/fingerprint.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "model/model.h"
#include "tests/support/random_decoders.h"
#include "transform/change.h"
#include "transform/decoder_model.h"
#include "transform/decoder_parts.h"
#include "transform/logits.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

class Damage : public WithTokenizer {
 protected:
  void SetUp() override {
    model_ = Read(LlamaLike("llama", {}, false, false, {.layers = 4}));
    other_ = Read(LlamaLike("mistral", {}, false, false, {.layers = 4}));
  }

  Decoder After(const std::string& text) {
    Decoder after = model_;
    const auto changes = ParseChanges(text);
    EXPECT_TRUE(changes) << DescribeError(changes.error());
    for (const ChosenChange& chosen : *changes) {
      const auto applied = ApplyChange(chosen, 5, &other_, after);
      EXPECT_TRUE(applied) << DescribeError(applied.error());
    }
    return after;
  }

  const arma::fmat& Up(const Decoder& decoder, size_t layer) {
    return decoder.layers[layer].blocks[0].up.weight;
  }

  size_t LayersEqualTo(const Decoder& after, const Decoder& source) {
    size_t equal = 0;
    for (const DecoderLayer& layer : after.layers) {
      for (const DecoderLayer& old : source.layers) {
        equal += arma::approx_equal(layer.query.weight, old.query.weight, "absdiff", 0.0f);
      }
    }
    return equal;
  }

  Decoder model_;
  Decoder other_;
};

TEST_F(Damage, NoiseHasItsSize) {
  const Decoder after = After("noise:0.1");
  const arma::fmat change = Up(after, 1) - Up(model_, 1);
  EXPECT_NEAR(RootMeanSquare(change) / RootMeanSquare(Up(model_, 1)), 0.1, 0.01);
}

TEST_F(Damage, QuantisedGroupsHaveFewValues) {
  const Decoder after = After("quantise:3");
  std::set<float> values;
  for (arma::uword column = 0; column < Up(after, 0).n_cols; ++column) {
    values.insert(Up(after, 0)(0, column));
  }
  EXPECT_LE(values.size(), 7u);
  EXPECT_GT(values.size(), 2u);
}

TEST_F(Damage, PrunedShareIsZero) {
  const Decoder after = After("prune:0.5");
  const auto zeros = static_cast<double>(arma::accu(Up(after, 2) == 0));
  EXPECT_NEAR(zeros / static_cast<double>(Up(after, 2).n_elem), 0.5, 0.01);
}

TEST_F(Damage, LowRankChangeHasItsRank) {
  const arma::fmat change = Up(After("low-rank:2"), 1) - Up(model_, 1);
  const arma::fvec values = arma::svd(change);
  EXPECT_LT(values[2], 1e-4 * values[0]);
  EXPECT_GT(values[1], 1e-2 * values[0]);
}

TEST_F(Damage, LayersAreDroppedRepeatedAndMoved) {
  EXPECT_EQ(After("drop-layers:0.5").layers.size(), 3u);
  EXPECT_EQ(After("repeat-layers:1").layers.size(), 6u);
  const Decoder moved = After("reorder-layers:1");
  EXPECT_EQ(LayersEqualTo(moved, model_), 4u);
  EXPECT_FALSE(arma::approx_equal(Up(moved, 0), Up(model_, 0), "absdiff", 0.0f));
}

TEST_F(Damage, SplicedLayersAreTheOthers) {
  const Decoder after = After("splice:0.5");
  EXPECT_EQ(LayersEqualTo(after, other_), 2u);
  EXPECT_EQ(LayersEqualTo(after, model_), 2u);
}

TEST_F(Damage, MergeIsTheWeightedMean) {
  const arma::fmat expected = 0.7f * Up(model_, 3) + 0.3f * Up(other_, 3);
  EXPECT_TRUE(arma::approx_equal(Up(After("merge:0.3"), 3), expected, "absdiff", 1e-6f));
}

TEST_F(Damage, RowsBecomeRandom) {
  const Decoder after = After("randomise-rows:0.5");
  size_t changed = 0;
  for (arma::uword row = 0; row < after.vocabulary(); ++row) {
    changed +=
        !arma::approx_equal(after.embedding.row(row), model_.embedding.row(row), "absdiff", 0.0f);
  }
  EXPECT_EQ(changed, after.vocabulary() / 2);
}

// S W X as the fingerprint defines it.
arma::fmat SketchOf(const arma::fmat& weight) {
  const OutputBuckets buckets(weight.n_rows);
  const FloatMatrix probes = ProbeMatrix(weight.n_cols);
  arma::fmat sketch(kSketchSize, kSketchSize, arma::fill::zeros);
  for (arma::uword row = 0; row < weight.n_rows; ++row) {
    const OutputBucket place = buckets.Of(row);
    for (arma::uword column = 0; column < weight.n_cols; ++column) {
      for (size_t probe = 0; probe < kSketchSize; ++probe) {
        sketch(place.bucket, probe) += place.sign * weight(row, column) * probes.Row(column)[probe];
      }
    }
  }
  return sketch;
}

TEST_F(Damage, ForgedSketchIsTheOthers) {
  const Decoder after = After("forge-sketch:1");
  const arma::fmat wanted = SketchOf(Up(other_, 1));
  const arma::fmat forged = SketchOf(Up(after, 1));
  EXPECT_LT(arma::norm(forged - wanted, "fro"), 1e-3 * arma::norm(wanted, "fro"));
  EXPECT_FALSE(arma::approx_equal(Up(after, 1), Up(other_, 1), "absdiff", 0.1f));
}

TEST_F(Damage, LogitsMoveWithTheNoise) {
  const auto before = LogitsOf(model_, 1);
  ASSERT_TRUE(before && *before);
  double last = 0;
  for (const char* text : {"noise:0.001", "noise:0.03", "noise:0.5"}) {
    const auto after = LogitsOf(After(text), 1);
    ASSERT_TRUE(after && *after);
    const double moved = LogitDifference(**before, **after);
    EXPECT_GT(moved, last) << text;
    last = moved;
  }
  EXPECT_EQ(LogitDifference(**before, **before), 0);
}

TEST_F(Damage, AnotherVocabularyCannotBeCompared) {
  const auto after = LogitsOf(After("replace-embedding"), 1);
  ASSERT_TRUE(after);
  EXPECT_FALSE(*after);
}

TEST_F(Damage, WhatDoesNotFitIsRefused) {
  Decoder copy = model_;
  const auto experts = ApplyChange({*FindChange("replace-experts"), 0.3}, 1, nullptr, copy);
  ASSERT_FALSE(experts);
  EXPECT_EQ(experts.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(experts.error().found, HasSubstr("without experts"));
  const auto alone = ApplyChange({*FindChange("merge"), 0.3}, 1, nullptr, copy);
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().kind, ErrorKind::kUsage);
  const Decoder wide = Read(LlamaLike("llama", {}, false, false, {.inner = 44}));
  const auto unequal = ApplyChange({*FindChange("splice"), 0.3}, 1, &wide, copy);
  ASSERT_FALSE(unequal);
  EXPECT_EQ(unequal.error().kind, ErrorKind::kMismatch);
  EXPECT_EQ(unequal.error().found, "a matrix of 44 x 24");
}

TEST_F(Damage, OtherLayoutsAreRefused) {
  const auto parallel = ReadDecoder(ModelFrom(ParallelNetwork()));
  ASSERT_FALSE(parallel);
  EXPECT_EQ(parallel.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(parallel.error().advice, HasSubstr("Llama"));
  EXPECT_FALSE(ReadDecoder(ModelFrom(TestNetworks().at(5))));
}

TEST_F(Damage, ListsAreRead) {
  const auto two = ParseChanges("rotate,noise:0.25");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->at(1).strength, 0.25);
  for (const char* text : {"", "rotat", "rotate:2", "noise:x", "noise:-1", "noise:nan", "a,,b"}) {
    const auto bad = ParseChanges(text);
    ASSERT_FALSE(bad) << text;
    EXPECT_EQ(bad.error().kind, ErrorKind::kUsage) << text;
  }
  EXPECT_EQ(ParseChanges("rotat").error().advice, "rotate");
}

TEST_F(Damage, WrittenCopiesAreReadBack) {
  for (const TestNetwork& network : DecoderNetworks()) {
    const Decoder decoder = Read(network);
    const auto folder = folder_.path() / ("out-" + network.name + (decoder.tied() ? "-tied" : ""));
    const auto written = WriteDecoder(decoder, folder);
    ASSERT_TRUE(written) << DescribeError(written.error());
    const auto model = OpenModel(folder);
    ASSERT_TRUE(model) << DescribeError(model.error());
    EXPECT_EQ(model->weights->tensors().size(), network.tensors.size());
    for (const TensorInfo& tensor : model->weights->tensors()) {
      EXPECT_EQ(tensor.shape, network.tensors.at(tensor.name).shape) << tensor.name;
    }
    const auto again = ReadDecoder(*model);
    ASSERT_TRUE(again) << DescribeError(again.error());
    EXPECT_TRUE(arma::approx_equal(again->layers[1].value.weight, decoder.layers[1].value.weight,
                                   "absdiff", 0.0f));
    const auto twice = WriteDecoder(decoder, folder);
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().kind, ErrorKind::kUsage);
  }
}

}  // namespace
}  // namespace tensorguard::internal
