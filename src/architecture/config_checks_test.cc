#include "architecture/config_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tensorguard::internal {
namespace {

using testing::StartsWith;

std::string Problem(const Json& config) {
  const auto checked = CheckConfigNumbers(config);
  return checked ? "" : checked.error().problem;
}

TEST(ConfigChecks, CountsThatNoModelHas) {
  for (const char* key : {"num_hidden_layers", "n_head", "hidden_size", "vocab_size"}) {
    for (const Json& value : {Json(0), Json(-1), Json(1'000'000'000), Json(1.5), Json("12"),
                              Json(true), Json(18446744073709551615u)}) {
      EXPECT_THAT(Problem({{key, value}}), StartsWith(key)) << value;
      EXPECT_THAT(Problem({{"text_config", {{key, value}}}}), StartsWith(key)) << value;
    }
    EXPECT_EQ(Problem({{key, nullptr}}), "");
    EXPECT_EQ(Problem({{key, 32}}), "");
  }
  EXPECT_EQ(Problem({{"num_attention_heads", {16, 8}}}), "");
  EXPECT_EQ(Problem(Json()), "");
}

TEST(ConfigChecks, NumbersThatMakeNoSense) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {0.0, -1e-5, 2.0, nan, std::numeric_limits<double>::infinity()}) {
    EXPECT_NE(Problem({{"rms_norm_eps", value}}), "") << value;
  }
  for (const double value : {0.0, -10000.0, nan}) {
    EXPECT_NE(Problem({{"rope_theta", value}}), "") << value;
    EXPECT_NE(Problem({{"rope_parameters", {{"rope_theta", value}}}}), "") << value;
  }
  EXPECT_EQ(Problem({{"rms_norm_eps", 1e-6}, {"rope_theta", 10000}}), "");
}

TEST(ConfigChecks, NumbersThatPythonWrites) {
  for (const char* text : {R"({"rms_norm_eps": NaN})", R"({"a":{"rope_theta" :-Infinity}})",
                           R"({"vocab_size":Infinity})"}) {
    EXPECT_FALSE(CheckConfigText(text)) << text;
  }
  EXPECT_TRUE(CheckConfigText(R"({"note": "\"rms_norm_eps\": NaN", "rms_norm_eps": 1e-5})"));
  EXPECT_TRUE(CheckConfigText(R"({"time_step_limit": [0, Infinity]})"));
}

}  // namespace
}  // namespace tensorguard::internal
