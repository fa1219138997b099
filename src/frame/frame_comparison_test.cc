#include "frame/frame_comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/random_bits.h"
#include "frame/frame_map.h"
#include "frame/layer_matching.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kAxes = 16;

float RandomNumber(uint64_t seed, uint64_t index) {
  return static_cast<float>(static_cast<int64_t>(RandomBits(seed, index)) >> 40) / 8388608.0f;
}

FloatMatrix RandomForm(uint64_t seed) {
  FloatMatrix form(kAxes, kAxes);
  for (size_t i = 0; i < form.values().size(); ++i) form.values()[i] = RandomNumber(seed, i);
  return form;
}

FrameForms RandomForms(size_t layers, uint64_t seed) {
  FrameForms forms = {.axes = kAxes, .layers = {}};
  for (size_t layer = 0; layer < layers; ++layer) {
    LayerForms of = {.stack = "", .index = static_cast<uint32_t>(layer)};
    for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
      of.forms[kind] = RandomForm(seed * 1000 + layer * 10 + kind);
    }
    forms.layers.push_back(std::move(of));
  }
  return forms;
}

// Q F Q' of a rotation by `angle` in neighbouring axes after flipped signs, and noise.
FrameForms InAnotherFrame(FrameForms forms, double angle, float noise, uint64_t seed) {
  for (LayerForms& layer : forms.layers) {
    for (size_t kind = 0; kind < kFormKinds.size(); ++kind) {
      FloatMatrix& form = layer.forms[kind];
      if (form.values().empty()) continue;
      arma::mat values(kAxes, kAxes);
      for (size_t i = 0; i < kAxes * kAxes; ++i) values(i / kAxes, i % kAxes) = form.values()[i];
      arma::mat map(kAxes, kAxes, arma::fill::eye);
      for (size_t i = 0; i + 1 < kAxes; ++i) {
        arma::mat turn(kAxes, kAxes, arma::fill::eye);
        turn(i, i) = turn(i + 1, i + 1) = std::cos(angle);
        turn(i, i + 1) = std::sin(angle);
        turn(i + 1, i) = -std::sin(angle);
        map = turn * map;
      }
      for (size_t i = 0; i < kAxes; ++i) {
        if ((RandomBits(seed, i) & 1) != 0) map.row(i) *= -1;
      }
      const arma::mat mapped = map * values * map.t();
      for (size_t i = 0; i < kAxes * kAxes; ++i) {
        form.values()[i] = static_cast<float>(mapped(i / kAxes, i % kAxes)) +
                           noise * RandomNumber(seed + 7 + layer.index * 10 + kind, i);
      }
    }
  }
  return forms;
}

TEST(CompareFrames, FindsACopyInAnotherFrame) {
  const FrameForms model = RandomForms(12, 1);
  const auto found = CompareFrames(model, InAnotherFrame(model, 0.1, 0.3f, 5));
  ASSERT_TRUE(found);
  EXPECT_GT(found->score, 0.8);
  EXPECT_LT(found->p_value, 1e-12);
  EXPECT_EQ(found->attention.size(), 12u);
  EXPECT_EQ(found->feed_forward.size(), 12u);
}

TEST(CompareFrames, FindsLayersInAnotherOrder) {
  FrameForms model = RandomForms(10, 2);
  FrameForms other = InAnotherFrame(model, 0.02, 0.1f, 6);
  std::reverse(other.layers.begin(), other.layers.end());
  other.layers.erase(other.layers.begin() + 3);
  const auto found = CompareFrames(model, other);
  ASSERT_TRUE(found);
  EXPECT_GT(found->score, 0.8);
  for (const FrameMatch& match : found->attention) {
    EXPECT_EQ(model.layers[match.layer_a].index, other.layers[match.layer_b].index);
  }
}

TEST(CompareFrames, FindsHalvesApart) {
  FrameForms model = RandomForms(8, 3);
  FrameForms split = InAnotherFrame(model, 0.02, 0.1f, 6);
  // Each layer becomes two: its attention, then its feed-forward.
  std::vector<LayerForms> halves;
  for (LayerForms& layer : split.layers) {
    LayerForms first = layer;
    first.forms[2] = first.forms[3] = {};
    LayerForms second = layer;
    second.forms[0] = second.forms[1] = {};
    halves.push_back(std::move(first));
    halves.push_back(std::move(second));
  }
  split.layers = std::move(halves);
  const auto found = CompareFrames(model, split);
  ASSERT_TRUE(found);
  EXPECT_GT(found->score, 0.8);
  for (const FrameMatch& match : found->feed_forward) {
    EXPECT_EQ(match.layer_b, 2 * match.layer_a + 1);
  }
}

TEST(CompareFrames, HoldsUnrelatedModelsApart) {
  std::vector<double> p_values;
  for (const size_t layers : {2, 3, 6, 24}) {
    for (uint64_t seed = 0; seed < 25; ++seed) {
      const auto found =
          CompareFrames(RandomForms(layers, 100 + 2 * seed), RandomForms(layers, 101 + 2 * seed));
      ASSERT_TRUE(found);
      EXPECT_LT(found->score, 0.2);
      p_values.push_back(found->p_value);
    }
  }
  EXPECT_GT(*std::ranges::min_element(p_values), 0.001);
}

TEST(CompareFrames, SaysTheSameBothWaysRound) {
  const FrameForms a = RandomForms(7, 8);
  FrameForms b = InAnotherFrame(a, 0.05, 0.5f, 9);
  b.layers.erase(b.layers.begin());
  const auto there = CompareFrames(a, b);
  const auto back = CompareFrames(b, a);
  ASSERT_TRUE(there);
  ASSERT_TRUE(back);
  EXPECT_EQ(there->score, back->score);
  EXPECT_EQ(there->p_value, back->p_value);
  ASSERT_EQ(there->attention.size(), back->attention.size());
  for (const FrameMatch& match : there->attention) {
    const auto same = std::ranges::find(back->attention, match.layer_a, &FrameMatch::layer_b);
    ASSERT_NE(same, back->attention.end());
    EXPECT_EQ(same->layer_a, match.layer_b);
  }
}

TEST(CompareFrames, NeedsSomethingToFitAndSomethingToRead) {
  EXPECT_FALSE(CompareFrames({}, {}));
  EXPECT_FALSE(CompareFrames(RandomForms(4, 1), {}));
  FrameForms attention_alone = RandomForms(1, 1);
  attention_alone.layers[0].forms[2] = attention_alone.layers[0].forms[3] = {};
  EXPECT_FALSE(CompareFrames(attention_alone, attention_alone));
}

TEST(CompareFrames, OfOneLayerReadsOneHalfByTheOther) {
  const FrameForms model = RandomForms(1, 4);
  const auto found = CompareFrames(model, InAnotherFrame(model, 0.02, 0.1f, 3));
  ASSERT_TRUE(found);
  EXPECT_GT(found->score, 0.8);
  EXPECT_GT(found->p_value, 0.01);  // one layer proves little
}

TEST(CompareFrames, OfEqualLayersSaysNothing) {
  FrameForms model = RandomForms(6, 4);
  for (LayerForms& layer : model.layers) layer.forms = model.layers[0].forms;
  const auto found = CompareFrames(model, RandomForms(6, 5));
  if (found) {
    EXPECT_GT(found->p_value, 0.001);
  }
}

TEST(CompareFrames, UsesTheLeadingAxesThatBothHave) {
  const FrameForms model = RandomForms(6, 4);
  FrameForms narrow = model;
  narrow.axes = 8;
  for (LayerForms& layer : narrow.layers) {
    for (FloatMatrix& form : layer.forms) {
      FloatMatrix part(8, 8);
      for (size_t row = 0; row < 8; ++row) {
        std::copy_n(form.Row(row).begin(), 8, part.Row(row).begin());
      }
      form = part;
    }
  }
  const auto found = CompareFrames(model, narrow);
  ASSERT_TRUE(found);
  EXPECT_GT(found->score, 0.99);
}

TEST(BestPairs, AgreeWithTryingAll) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    FloatMatrix totals(1 + seed % 5, 1 + seed % 7);
    for (size_t i = 0; i < totals.values().size(); ++i) {
      totals.values()[i] = RandomNumber(seed, i);
    }
    double total = 0;
    for (const auto& [row, column] : BestPairs(totals)) total += totals.Row(row)[column];
    EXPECT_NEAR(total, BestTotalExhaustively(totals), 1e-6);
  }
}

}  // namespace
}  // namespace tensorguard::internal
