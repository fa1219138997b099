// The forward pass against what each architecture's own library computed, on every architecture of
// the shared material: the proof of the table of architectures.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/try.h"
#include "model/model.h"
#include "network/forward.h"
#include "network/network.h"
#include "tests/support/golden_outputs.h"
#include "tests/support/real_architectures.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

constexpr double kTolerance = 1e-4;  // of the tensor's largest magnitude

std::filesystem::path Architectures() { return SharedData("real/architectures"); }

// The libraries of the recurrent models report what leaves each layer, then that of the last one
// through the final norm, and not what enters the first.
bool ReportsAfterLayersOnly(const std::string& folder) {
  return folder == "mamba" || folder == "mamba2" || folder == "rwkv";
}

std::vector<FloatMatrix> AsReported(const std::string& folder, const ForwardResult& result) {
  if (!ReportsAfterLayersOnly(folder)) return result.hidden;
  std::vector<FloatMatrix> hidden(result.hidden.begin() + 1, result.hidden.end());
  hidden.insert(hidden.end() - 1, result.last_stream);
  return hidden;
}

class RealForward : public ::testing::TestWithParam<std::string> {};

TEST_P(RealForward, ReproducesHiddenStatesAndLogits) {
  const std::filesystem::path folder = Architectures() / GetParam();
  SKIP_WITHOUT(folder);
  const auto model = OpenModel(folder);
  ASSERT_TRUE(model) << DescribeError(model.error());
  const auto network = Network::Build(*model);
  ASSERT_TRUE(network) << DescribeError(network.error());
  EXPECT_NE((*network)->description().architecture, "generic");

  const auto golden = ReadGolden(folder / "golden.safetensors");
  ASSERT_TRUE(golden) << DescribeError(golden.error());
  const auto result = RunForward(**network, golden->input_ids, golden->decoder_ids);
  ASSERT_TRUE(result) << DescribeError(result.error());
  const std::vector<FloatMatrix> hidden = AsReported(GetParam(), *result);
  ASSERT_EQ(hidden.size(), golden->hidden.size());
  for (size_t i = 0; i < golden->hidden.size(); ++i) {
    EXPECT_LT(Difference(hidden[i].values(), golden->hidden[i]), kTolerance) << "hidden." << i;
  }
  EXPECT_LT(Difference(result->logits.values(), golden->logits), kTolerance) << "logits";
}

INSTANTIATE_TEST_SUITE_P(All, RealForward, ::testing::ValuesIn(kRealArchitectures),
                         [](const auto& parameter) { return TestNameOf(parameter.param); });

// Further architectures, of which only the logits are compared.
std::filesystem::path MoreArchitectures() { return SharedData("real/architectures-more"); }

Result<double> DifferenceOfLogits(const std::filesystem::path& folder,
                                  NetworkDescription& description) {
  TG_ASSIGN(const auto model, OpenModel(folder));
  TG_ASSIGN(const auto network, Network::Build(model));
  description = network->description();
  TG_ASSIGN(const auto golden, ReadGolden(folder / "golden.safetensors"));
  TG_ASSIGN(const auto differences, CompareWithGolden(*network, model.config, golden));
  return differences.logits;
}

class MoreRealForward : public ::testing::TestWithParam<std::string> {};

TEST_P(MoreRealForward, ReproducesLogits) {
  const std::filesystem::path folder = MoreArchitectures() / GetParam();
  SKIP_WITHOUT(folder);
  NetworkDescription description;
  const auto difference = DifferenceOfLogits(folder, description);
  ASSERT_TRUE(difference) << DescribeError(difference.error());
  EXPECT_NE(description.architecture, "generic");
  EXPECT_LT(*difference, kTolerance);
}

INSTANTIATE_TEST_SUITE_P(All, MoreRealForward, ::testing::ValuesIn(kMoreArchitectures),
                         [](const auto& parameter) { return TestNameOf(parameter.param); });

// What is not computed right is refused, or says what is assumed: never wrong without a word.
TEST(RealForwards, AreNeverWrongWithoutAWord) {
  SKIP_WITHOUT(MoreArchitectures());
  for (const auto& entry : std::filesystem::directory_iterator(MoreArchitectures())) {
    NetworkDescription description;
    const auto difference = DifferenceOfLogits(entry.path(), description);
    if (!difference || !description.assumed.empty()) continue;
    EXPECT_LT(*difference, kTolerance) << entry.path().filename();
  }
}

TEST(RealForwards, AreAllTested) {
  SKIP_WITHOUT(Architectures());
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(Architectures())) {
    found.insert(entry.path().filename().string());
  }
  EXPECT_EQ(found, std::set<std::string>(kRealArchitectures.begin(), kRealArchitectures.end()));
}

}  // namespace
}  // namespace tensorguard::internal
