#include "comparison/idle_parts.h"

#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

Fingerprint Model(size_t layers) {
  Fingerprint model;
  model.frame.axes = 4;
  for (uint32_t i = 0; i < layers; ++i) {
    model.layers.push_back({.index = i, .mixer = MixerKind::kAttention, .feed_forward_gain = 1});
    LayerForms forms = {.index = i};
    for (FloatMatrix& form : forms.forms) form = FloatMatrix(4, 4);
    model.frame.layers.push_back(forms);
    for (const Role role : {Role::kOutputProjection, Role::kDown}) {
      WeightSummary weight = {.tensor = "w", .rows = 8, .columns = 8};
      weight.role.role = role;
      weight.role.layer = i;
      model.weights.push_back(weight);
    }
  }
  return model;
}

void Silence(LayerForms& layer, FormKind first, FormKind second) {
  layer.forms[static_cast<size_t>(first)] = {};
  layer.forms[static_cast<size_t>(second)] = {};
}

TEST(HasIdleParts, IsNotTrueOfAnOrdinaryModel) { EXPECT_FALSE(HasIdleParts(Model(4))); }

TEST(HasIdleParts, SeesLayersSplitInTwo) {
  Fingerprint model = Model(4);
  for (size_t i = 0; i < 4; ++i) {
    if (i % 2 == 0) {
      Silence(model.frame.layers[i], FormKind::kFeedForward, FormKind::kGates);
    } else {
      Silence(model.frame.layers[i], FormKind::kQueryKey, FormKind::kOutputValue);
    }
  }
  EXPECT_TRUE(HasIdleParts(model));
}

// Block expansion begins with layers that write nothing at all.
TEST(HasIdleParts, AllowsWholeLayersThatWriteNothing) {
  Fingerprint model = Model(4);
  model.frame.layers.erase(model.frame.layers.begin() + 1);
  EXPECT_FALSE(HasIdleParts(model));
}

TEST(HasIdleParts, AllowsModelsWhoseAttentionHasNoForm) {
  Fingerprint model = Model(4);
  for (LayerForms& layer : model.frame.layers) {
    Silence(layer, FormKind::kQueryKey, FormKind::kOutputValue);
  }
  EXPECT_FALSE(HasIdleParts(model));
}

TEST(HasIdleParts, SeesAStreamThatNothingWrites) {
  Fingerprint model = Model(2);
  for (WeightSummary& weight : model.weights) weight.zero_row_fraction = 0.2;
  EXPECT_TRUE(HasIdleParts(model));
  model.weights[2].zero_row_fraction = 0;
  EXPECT_FALSE(HasIdleParts(model));
}

}  // namespace
}  // namespace tensorguard::internal
