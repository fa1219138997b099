// Adapters of every kind, each held against what the library that made it merges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/shared_data.h"
#include "weights/adapters/adapter.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

// Both sides compute in float32, in another order.
constexpr double kTolerance = 2e-6;

fs::path Folder(const std::string& name) { return SharedData("real/adapters-peft") / name; }

std::shared_ptr<const WeightSource> BaseOf(const std::string& name) {
  const bool mixture = name.starts_with("qwen3_moe");
  auto base = OpenStoredWeights(mixture ? Folder("qwen3_moe") : SharedData("zoo") / "alder");
  EXPECT_TRUE(base) << DescribeError(base.error());
  return base ? *base : nullptr;
}

std::vector<float> Read(const WeightSource& weights, size_t index) {
  std::vector<float> values(weights.tensors()[index].element_count);
  auto read = weights.ReadFloat32(index, 0, values);
  EXPECT_TRUE(read) << DescribeError(read.error());
  return values;
}

size_t IndexOf(const WeightSource& weights, const std::string& name) {
  const auto& tensors = weights.tensors();
  return static_cast<size_t>(std::ranges::find(tensors, name, &TensorInfo::name) - tensors.begin());
}

class LibraryMerges : public testing::TestWithParam<const char*> {};

TEST_P(LibraryMerges, AreOurs) {
  SKIP_WITHOUT(Folder(GetParam()));
  const auto base = BaseOf(GetParam());
  ASSERT_NE(base, nullptr);
  auto merged = MergeAdapter(base, Folder(GetParam()));
  ASSERT_TRUE(merged) << DescribeError(merged.error());
  auto expected = OpenStoredWeights(Folder(GetParam()) / "merged-part.safetensors");
  ASSERT_TRUE(expected) << DescribeError(expected.error());
  size_t changed = 0;
  for (size_t i = 0; i < (*expected)->tensors().size(); ++i) {
    const std::string& name = (*expected)->tensors()[i].name;
    const size_t index = IndexOf(**merged, name);
    ASSERT_LT(index, (*merged)->tensors().size()) << name;
    const auto ours = Read(**merged, index);
    const auto theirs = Read(**expected, i);
    const auto before = Read(*base, IndexOf(*base, name));
    ASSERT_EQ(ours.size(), theirs.size()) << name;
    double apart = 0;
    for (size_t at = 0; at < ours.size(); ++at) {
      apart = std::max(apart, std::abs(static_cast<double>(ours[at]) - theirs[at]));
    }
    EXPECT_LE(apart, kTolerance) << name;
    changed += before != theirs ? 1 : 0;
  }
  EXPECT_GT(changed, 0u) << "the adapter changes nothing: nothing is tested";
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, LibraryMerges,
                         testing::Values("alder--adalora", "alder--boft", "alder--c3a",
                                         "alder--delora", "alder--fourierft", "alder--gralora",
                                         "alder--hra", "alder--ln_tuning", "alder--loha",
                                         "alder--lokr", "alder--lokr-both", "alder--lora-olora",
                                         "alder--lora-pissa", "alder--lora-target-params",
                                         "alder--lora-trainable-tokens", "alder--miss",
                                         "alder--oft", "alder--randlora", "alder--shira",
                                         "alder--trainable_tokens", "alder--vblora", "alder--vera",
                                         "alder--vera-noproj", "alder--waveft", "qwen3_moe--loha",
                                         "qwen3_moe--lokr", "qwen3_moe--lora-target-params"));

// What cannot be merged is refused by its name, never merged wrongly.
TEST(LibraryMerges, OthersAreRefusedByName) {
  SKIP_WITHOUT(Folder(""));
  const std::pair<const char*, const char*> refused[] = {
      {"alder--unilora", "adapters of type UNILORA are not supported"},
  };
  for (const auto& [name, problem] : refused) {
    const auto merged = MergeAdapter(BaseOf(name), Folder(name));
    ASSERT_FALSE(merged) << name;
    EXPECT_THAT(merged.error().problem, HasSubstr(problem));
    EXPECT_EQ(merged.error().kind, ErrorKind::kUnsupported);
  }
}

}  // namespace
}  // namespace tensorguard::internal
