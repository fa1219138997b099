// Models with known ancestry, without a token.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/json.h"
#include "frame/frame_comparison.h"
#include "model/model.h"
#include "network/network.h"
#include "profile/frame/frame.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

constexpr double kLeastDerived = 0.4;
constexpr double kMostIndependent = 0.25;

FrameForms FormsOf(const std::string& name) {
  const auto model = OpenModel(SharedData("zoo") / name);
  EXPECT_TRUE(model) << DescribeError(model.error());
  const auto network = Network::Build(*model);
  EXPECT_TRUE(network) << DescribeError(network.error());
  auto forms = ComputeFrameForms(**network);
  EXPECT_TRUE(forms) << DescribeError(forms.error());
  return *std::move(forms);
}

TEST(ZooFrames, PartTheDerivedFromAllOthers) {
  SKIP_WITHOUT(SharedData("zoo"));
  const auto truth = ReadJsonFile(SharedData("zoo") / "truth.json");
  ASSERT_TRUE(truth) << DescribeError(truth.error());
  std::map<std::string, FrameForms> forms;
  for (const Json& model : *truth) {
    if (model["kind"] != "adapter") forms[model["name"]] = FormsOf(model["name"]);
  }
  size_t derived = 0;
  size_t independent = 0;
  for (const Json& base : *truth) {
    if (base["kind"] != "base") continue;
    for (const Json& model : *truth) {
      if (model["name"] == base["name"] || model["kind"] == "adapter") continue;
      const auto found = CompareFrames(forms[base["name"]], forms[model["name"]]);
      ASSERT_TRUE(found);
      const std::string pair = std::string(base["name"]) + ", " + std::string(model["name"]);
      if (model["root"] == base["name"] && model["relation"] == "derived") {
        ++derived;
        EXPECT_GT(found->score, kLeastDerived) << pair;
        EXPECT_LT(found->p_value, 1e-3) << pair;
      } else {
        ++independent;
        EXPECT_LT(found->score, kMostIndependent) << pair;
        EXPECT_GT(found->p_value, 1e-3) << pair;
      }
    }
  }
  EXPECT_EQ(derived, 41u);
  EXPECT_GT(independent, 300u);
}

}  // namespace
}  // namespace tensorguard::internal
