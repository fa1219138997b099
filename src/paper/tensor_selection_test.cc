#include "paper/tensor_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;

std::vector<TensorInfo> Matrices(std::initializer_list<std::string> names) {
  std::vector<TensorInfo> tensors;
  for (const std::string& name : names) {
    TensorInfo& tensor = tensors.emplace_back();
    tensor.name = name;
    tensor.shape = {2, 3};
    tensor.element_count = 6;
  }
  return tensors;
}

std::vector<std::string> Selected(const std::vector<TensorInfo>& tensors) {
  NumpyRandom random(0);
  std::vector<std::string> names;
  for (const size_t i : SelectTensors(tensors, TensorsRead(tensors), random)) {
    names.push_back(tensors[i].name);
  }
  return names;
}

TEST(IsBeyondLayersRead, LooksAtTheIndexAfterLayers) {
  EXPECT_FALSE(IsBeyondLayersRead("model.layers.15.mlp.up_proj.weight"));
  EXPECT_TRUE(IsBeyondLayersRead("model.layers.16.mlp.up_proj.weight"));
  EXPECT_TRUE(IsBeyondLayersRead("layers.99999999999999999999999.w"));
  EXPECT_FALSE(IsBeyondLayersRead("layers.16"));  // no tensor of a layer
  EXPECT_FALSE(IsBeyondLayersRead("transformer.h.17.attn.weight"));
  EXPECT_FALSE(IsBeyondLayersRead("layers.norm.weight"));
  EXPECT_FALSE(IsBeyondLayersRead(""));
}

TEST(SelectTensors, TakesAllOfTen) {
  const auto tensors = Matrices({"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
  EXPECT_EQ(Selected(tensors).size(), 10u);
  EXPECT_EQ(Selected(tensors).front(), "a");
}

TEST(SelectTensors, LeavesOutVectorsAndEmptyMatrices) {
  auto tensors = Matrices({"a", "b", "c"});
  tensors[0].shape = {6};
  tensors[1].shape = {0, 3};
  tensors[1].element_count = 0;
  EXPECT_THAT(Selected(tensors), ElementsAre("c"));
}

TEST(SelectTensors, TakesThreeFromEachGroupEvenlySpaced) {
  const auto tensors =
      Matrices({"attn.0", "attn.1", "attn.2", "attn.3", "embed.0", "embed.1", "embed.2", "mlp.0",
                "mlp.1", "mlp.2", "mlp.3", "mlp.4", "x.0", "x.1", "x.2", "x.3", "x.4"});
  EXPECT_THAT(Selected(tensors),
              ElementsAre("embed.0", "embed.1", "embed.2", "attn.0", "attn.1", "attn.3", "mlp.0",
                          "mlp.2", "mlp.4", "x.0", "x.2", "x.4"));
}

TEST(SelectTensors, FillsUpToTenByChance) {
  const auto tensors = Matrices({"attn.0", "attn.1", "attn.2", "attn.3", "attn.4", "attn.5",
                                 "attn.6", "attn.7", "attn.8", "attn.9", "embed"});
  const auto selected = Selected(tensors);
  ASSERT_EQ(selected.size(), 10u);
  // RandomState(0).choice(7, 6, replace=False) is [6 2 1 3 0 5] of the seven that are left.
  EXPECT_THAT(selected, ElementsAre("embed", "attn.0", "attn.4", "attn.9", "attn.8", "attn.3",
                                    "attn.2", "attn.5", "attn.1", "attn.7"));
}

}  // namespace
}  // namespace tensorguard::internal
