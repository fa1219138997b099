// Models converted to GGUF compute what their own library computed from the originals: every
// tensor in its place and order, and a config.json's worth of metadata. The converter is
// bench/write_gguf.py.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "model/model.h"
#include "network/forward.h"
#include "network/network.h"
#include "tests/support/golden_outputs.h"
#include "tests/support/real_architectures.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

// Of the tensor's largest magnitude. Gains that had 1 added are rounded there.
constexpr double kTolerance = 1e-4;

// In each case: a folder of the shared material, and options of the converter.
struct Case {
  std::string folder;
  std::string options = {};
};

constexpr std::string_view kPython = "/usr/bin/python3";

bool HasNumpy() {
  static const bool has = std::system("/usr/bin/python3 -c 'import numpy' >/dev/null 2>&1") == 0;
  return has;
}

class GgufForward : public ::testing::TestWithParam<Case> {};

TEST_P(GgufForward, ComputesWhatTheOriginalDoes) {
  const auto folder = SharedData("real/architectures") / GetParam().folder;
  SKIP_WITHOUT(folder);
  if (!HasNumpy()) GTEST_SKIP() << "needs Debian's python3-numpy";
  const ScratchFolder scratch;
  const auto file = scratch.path() / "it.gguf";
  const std::string converter = SourceFile("bench/write_gguf.py").string();
  ASSERT_EQ(std::system(fmt::format("OMP_NUM_THREADS=1 {} {} --type F32 {} {} {}", kPython,
                                    converter, GetParam().options, folder.string(), file.string())
                            .c_str()),
            0);
  const auto model = OpenModel(file);
  ASSERT_TRUE(model) << DescribeError(model.error());
  EXPECT_TRUE(model->architecture.unassigned.empty());
  const auto network = Network::Build(*model);
  ASSERT_TRUE(network) << DescribeError(network.error());
  EXPECT_NE((*network)->description().architecture, "generic");

  const auto golden = ReadGolden(folder / "golden.safetensors");
  ASSERT_TRUE(golden) << DescribeError(golden.error());
  const auto result = RunForward(**network, golden->input_ids, golden->decoder_ids);
  ASSERT_TRUE(result) << DescribeError(result.error());
  ASSERT_EQ(result->hidden.size(), golden->hidden.size());
  for (size_t i = 0; i < golden->hidden.size(); ++i) {
    EXPECT_LT(Difference(result->hidden[i].values(), golden->hidden[i]), kTolerance)
        << "hidden." << i;
  }
  // The heads of encoders are dropped by the conversion.
  if (model->config["model_type"] == "bert") return;
  EXPECT_LT(Difference(result->logits.values(), golden->logits), kTolerance) << "logits";
}

const std::vector<Case> kCases = {
    {"bert"},        {"bloom"},       {"cohere"},     {"deepseek-v2"},
    {"deepseek-v3"}, {"distilbert"},  {"falcon"},     {"falcon-7b-style"},
    {"gemma"},       {"gemma2"},      {"gemma3"},     {"glm4"},
    {"glm4-moe"},    {"gpt-bigcode"}, {"gpt-neox"},   {"gpt-oss"},
    {"gpt2"},        {"granite"},     {"granitemoe"}, {"llama"},
    {"llama-tied"},  {"mistral"},     {"mixtral"},    {"mixtral", "--old-experts"},
    {"mpt"},         {"olmo2"},       {"olmoe"},      {"phi"},
    {"phi3"},        {"phimoe"},      {"qwen2"},      {"qwen2-moe"},
    {"qwen3"},       {"qwen3-moe"},   {"roberta"},    {"smollm3"},
    {"starcoder2"},  {"t5"},          {"t5-v1_1"}};

INSTANTIATE_TEST_SUITE_P(All, GgufForward, ::testing::ValuesIn(kCases), [](const auto& parameter) {
  return TestNameOf(parameter.param.folder + parameter.param.options);
});

}  // namespace
}  // namespace tensorguard::internal
