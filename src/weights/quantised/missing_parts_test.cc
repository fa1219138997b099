// Parts of quantised weights without which the rest could be read, but as other numbers.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/quantised_builder.h"
#include "tests/support/quantised_models.h"

namespace tensorguard::internal {
namespace {

constexpr const char* kLacks = "a quantised weight lacks one of its tensors";

TEST(MissingParts, Fp8WithoutItsScalesAmongOthers) {
  const BuiltTensor plain = {"down.weight", "F8_E4M3", {2, 4}, std::string(8, '\x38')};
  const std::vector<BuiltTensor> tensors = {{"up.weight", "F8_E4M3", {2, 4}, std::string(8, 0x38)},
                                            F32Tensor("up.weight_scale", {1}, {2}),
                                            plain};
  const Error among_others = ErrorOf(tensors);
  EXPECT_EQ(among_others.problem, kLacks);
  EXPECT_EQ(among_others.tensor, "down.weight");
  EXPECT_EQ(among_others.expected, "down.weight_scale or down.weight_scale_inv");
  EXPECT_EQ(ErrorOf({plain}, {{"quant_method", "fp8"}}).problem, kLacks);
  // A model that was only cast to eight bits has none.
  const ScratchFolder folder;
  ExpectValues(Dequantised(folder, {plain}), "down.weight", {2, 4}, std::vector<float>(8, 1));
}

TEST(MissingParts, ZeroPointsThatTheConfigPromises) {
  const auto settings = [](bool symmetric) {
    return Json{{"quant_method", "compressed-tensors"},
                {"config_groups", {{"g", {{"weights", {{"symmetric", symmetric}}}}}}}};
  };
  const auto packed = CompressedTensors("up", MakeQuantisedMatrix(20, 64, 4, 32, 9), false);
  const std::vector<BuiltTensor> plain = {{"up.weight", "I8", {2, 4}, std::string(8, '\x38')},
                                          F32Tensor("up.weight_scale", {2, 1}, {2, 3})};
  for (const auto& tensors : {packed, plain}) {
    const Error error = ErrorOf(tensors, settings(false));
    EXPECT_EQ(error.problem, kLacks);
    EXPECT_EQ(error.expected, "up.weight_zero_point");
    const ScratchFolder folder;
    EXPECT_TRUE(Dequantised(folder, tensors, settings(true)));
  }
}

TEST(MissingParts, TheSecondScaleOfNvfp4) {
  const Error error = ErrorOf({{"up.weight", "U8", {4, 16}, std::string(64, '\x11')},
                               {"up.weight_scale", "F8_E4M3", {4, 2}, std::string(8, '\x38')}});
  EXPECT_EQ(error.problem, kLacks);
  EXPECT_EQ(error.expected, "up.weight_scale_2");
}

TEST(MissingParts, GroupIndexesOfReorderedInputs) {
  const auto tensors = GptqTensors("up", MakeQuantisedMatrix(32, 64, 4, 32, 6), false, false);
  const Error error = ErrorOf(tensors, {{"quant_method", "gptq"}, {"desc_act", true}});
  EXPECT_EQ(error.problem, kLacks);
  EXPECT_EQ(error.expected, "up.g_idx");
  const ScratchFolder folder;
  EXPECT_TRUE(Dequantised(folder, tensors, {{"quant_method", "gptq"}, {"desc_act", false}}));
}

TEST(MissingParts, AnotherMethodInTheConfig) {
  const auto tensors = GptqTensors("up", MakeQuantisedMatrix(32, 64, 4, 32, 6), false);
  for (const char* method : {"bitsandbytes", "hqq", "compressed-tensors", "fp8", "mxfp4"}) {
    EXPECT_EQ(ErrorOf(tensors, {{"quant_method", method}}).problem,
              "config and tensors disagree about the quantisation");
  }
}

}  // namespace
}  // namespace tensorguard::internal
