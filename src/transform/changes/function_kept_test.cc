// Changes that say that they keep the function keep it, on every layout that they fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/random_decoders.h"
#include "transform/change.h"
#include "transform/decoder_model.h"
#include "transform/logits.h"

namespace tensorguard::internal {
namespace {

constexpr double kRounding = 1e-3;

class FunctionKept : public WithTokenizer {
 protected:
  // Empty where the change does not fit.
  std::optional<double> Moved(const Decoder& before, const ChosenChange& chosen,
                              const Decoder* other) {
    Decoder after = before;
    const auto applied = ApplyChange(chosen, 7, other, after);
    if (!applied) {
      EXPECT_EQ(applied.error().kind, ErrorKind::kUnsupported) << DescribeError(applied.error());
      EXPECT_FALSE(applied.error().expected.empty());
      return {};
    }
    const auto old_logits = LogitsOf(before, 1);
    const auto new_logits = LogitsOf(after, 1);
    EXPECT_TRUE(old_logits && *old_logits);
    EXPECT_TRUE(new_logits) << DescribeError(new_logits.error());
    if (!new_logits || !*new_logits) return 1e9;
    return LogitDifference(**old_logits, **new_logits);
  }
};

TEST_F(FunctionKept, ByEveryChangeOnEveryLayout) {
  std::set<std::string_view> fitted;
  for (const TestNetwork& network : DecoderNetworks()) {
    const Decoder before = Read(network);
    if (before.layers.empty()) continue;
    for (const Change& change : AllChanges()) {
      if (change.keeps != Keeps::kFunction) continue;
      for (const double strength : change.strengths) {
        const auto moved = Moved(before, {&change, strength}, nullptr);
        if (!moved) continue;
        fitted.insert(change.name);
        EXPECT_LT(*moved, kRounding) << network.name << " " << change.name << " " << strength;
      }
    }
  }
  for (const Change& change : AllChanges()) {
    if (change.keeps != Keeps::kFunction) continue;
    EXPECT_TRUE(fitted.contains(change.name)) << change.name;
  }
}

TEST_F(FunctionKept, ByAllOfThemTogether) {
  Decoder after = Read(DecoderNetworks().at(2));
  const auto before = LogitsOf(after, 1);
  ASSERT_TRUE(before && *before);
  // Loud dead halves of loud dead heads would be louder still, and drown the rest in rounding.
  const auto all = ParseChanges(
      "permute,rescale,regain,rotary-rotate,value-basis,duplicate-units,dead-heads,shadow-units,"
      "pad-width,split-layers:0,rotate,swap-neighbours,permute-vocabulary,decoy-rows,rename-"
      "tensors");
  ASSERT_TRUE(all) << DescribeError(all.error());
  for (const ChosenChange& chosen : *all) {
    const auto applied = ApplyChange(chosen, 3, nullptr, after);
    ASSERT_TRUE(applied) << DescribeError(applied.error());
  }
  const auto logits = LogitsOf(after, 1);
  ASSERT_TRUE(logits && *logits);
  EXPECT_LT(LogitDifference(**before, **logits), 10 * kRounding);
}

TEST_F(FunctionKept, ChangesTheNumbers) {
  const Decoder before = Read(DecoderNetworks().at(0));
  for (const char* name :
       {"permute", "rotate", "rescale", "regain", "rotary-rotate", "value-basis"}) {
    Decoder after = before;
    ASSERT_TRUE(ApplyChange({*FindChange(name), 1}, 7, nullptr, after));
    double largest = 0;
    for (const auto& [a, b] : {std::pair(&before.layers[1].query, &after.layers[1].query),
                               {&before.layers[1].value, &after.layers[1].value},
                               {&before.layers[1].blocks[0].up, &after.layers[1].blocks[0].up}}) {
      largest = std::max<double>(largest, arma::abs(a->weight - b->weight).max());
    }
    EXPECT_GT(largest, 0.1) << name;
  }
}

TEST_F(FunctionKept, ByInertLayersOfAnotherModel) {
  TestNetwork network = DecoderNetworks().at(0);
  const Decoder model = Read(network);
  TestNetwork foreign = LlamaLike("mistral", {}, false, false);
  const Decoder other = Read(foreign);
  const auto moved = Moved(model, {*FindChange("repeat-inert-layers"), 1e-4}, &other);
  ASSERT_TRUE(moved);
  EXPECT_LT(*moved, 1e-2);
  EXPECT_GT(*moved, 1e-6);
}

TEST_F(FunctionKept, SameSeedSameCopy) {
  for (const uint64_t seed : {1, 2}) {
    Decoder first = Read(DecoderNetworks().at(0));
    Decoder second = first;
    const ChosenChange rotate = {*FindChange("rotate"), 1};
    ASSERT_TRUE(ApplyChange(rotate, 1, nullptr, first));
    ASSERT_TRUE(ApplyChange(rotate, seed, nullptr, second));
    const bool same = arma::approx_equal(first.embedding, second.embedding, "absdiff", 0.0f);
    EXPECT_EQ(same, seed == 1);
  }
}

}  // namespace
}  // namespace tensorguard::internal
