#include "network/attention/rotary_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "architecture/table/architecture_table.h"

namespace tensorguard::internal {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

Result<Rotary> Read(const Json& config, const RotaryPlace& place = {.head_size = 8}) {
  return ReadRotary(ConfigView(config), GenericTraits(), place);
}

std::vector<float> FrequenciesOf(const Json& config) {
  const auto rotary = Read(config);
  EXPECT_TRUE(rotary) << DescribeError(rotary.error());
  return rotary ? rotary->frequencies : std::vector<float>();
}

TEST(ReadRotary, FallsByPowersOfTheBase) {
  EXPECT_THAT(FrequenciesOf(Json::parse(R"({"rope_theta": 10000})")),
              Pointwise(FloatNear(1e-7f), std::vector<float>{1, 0.1f, 0.01f, 0.001f}));
}

TEST(ReadRotary, TurnsAPartOfTheHead) {
  EXPECT_THAT(FrequenciesOf(Json::parse(R"({"partial_rotary_factor": 0.5})")),
              Pointwise(FloatNear(1e-7f), std::vector<float>{1, 0.01f}));
}

// As the library's own code, which rounds the number of pairs up and keeps the odd divisor.
TEST(ReadRotary, RoundsAnOddNumberOfColumnsUp) {
  const std::vector<float> found = FrequenciesOf(Json::parse(R"({"rotary_dim": 3})"));
  EXPECT_THAT(found,
              Pointwise(FloatNear(1e-6f), std::vector<float>{1, std::pow(10000.0f, -2.0f / 3)}));
}

TEST(ReadRotary, StretchesLinearly) {
  const Json config = Json::parse(R"({"rope_scaling": {"type": "linear", "factor": 4}})");
  EXPECT_THAT(FrequenciesOf(config),
              Pointwise(FloatNear(1e-7f), std::vector<float>{0.25f, 0.025f, 0.0025f, 0.00025f}));
}

// Wave lengths 6.3, 63, 628 and 6283 in a context of 8192: the first three make more than
// high_freq_factor turns and are kept; the last makes 1.3, between the two factors.
TEST(ReadRotary, StretchesLongWavesOfLlama3) {
  const Json config = Json::parse(R"({"rope_scaling": {"rope_type": "llama3", "factor": 8,
      "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}})");
  const float turns = 8192 * 0.001f / (2 * std::acos(-1.0f));
  const float kept = (turns - 1) / 3;
  EXPECT_THAT(FrequenciesOf(config),
              Pointwise(FloatNear(1e-6f),
                        std::vector<float>{1, 0.1f, 0.01f, 0.001f * (kept + (1 - kept) / 8)}));
}

TEST(ReadRotary, ReadsTheParametersOfTheKindOfLayer) {
  const Json config = Json::parse(R"({"rope_parameters": {
      "full_attention": {"rope_theta": 1e8}, "sliding_attention": {"rope_theta": 1e4}}})");
  const auto full = Read(config);
  const auto window = Read(config, {.head_size = 8, .in_window = true});
  ASSERT_TRUE(full && window);
  EXPECT_NEAR(full->frequencies[1], 0.01, 1e-7);
  EXPECT_NEAR(window->frequencies[1], 0.1, 1e-7);
}

TEST(ReadRotary, DividesPairByPairForLongRope) {
  const Json config = Json::parse(R"({"max_position_embeddings": 4096, "rope_scaling": {
      "type": "longrope", "short_factor": [1, 2, 4, 8], "long_factor": [1, 1, 1, 1],
      "original_max_position_embeddings": 4096}})");
  EXPECT_THAT(FrequenciesOf(config),
              Pointwise(FloatNear(1e-7f), std::vector<float>{1, 0.05f, 0.0025f, 0.000125f}));
}

TEST(ReadRotary, RefusesNumbersThatMakeNoRotation) {
  for (const char* text :
       {R"({"partial_rotary_factor": 7})", R"({"partial_rotary_factor": -1})",
        R"({"rotary_dim": 1000000})", R"({"rope_theta": -3})", R"({"rope_theta": 0})",
        R"({"rope_theta": 1e308, "partial_rotary_factor": 0.01})",
        R"({"rope_scaling": {"type": "linear", "factor": 0}})",
        R"({"rope_scaling": {"type": "yarn", "factor": 0, "original_max_position_embeddings": 0}})",
        R"({"rope_scaling": {"type": "longrope", "short_factor": [1, 2]}})",
        R"({"rope_scaling": {"type": "longrope", "short_factor": [1, 2, 0, "x"]}})"}) {
    const auto rotary = Read(Json::parse(text));
    ASSERT_FALSE(rotary) << text;
    EXPECT_EQ(rotary.error().kind, ErrorKind::kBadFile) << text;
  }
}

TEST(ReadRotary, NamesAScalingThatItDoesNotKnow) {
  const auto rotary = Read(Json::parse(R"({"rope_scaling": {"type": "telepathy"}})"));
  ASSERT_FALSE(rotary);
  EXPECT_EQ(rotary.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(rotary.error().found, "telepathy");
}

}  // namespace
}  // namespace tensorguard::internal
