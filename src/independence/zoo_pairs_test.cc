// The deep test on trained models whose ancestry is known.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "independence/independence.h"
#include "independence/independence_finding.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

struct Opened {
  Model model;
  std::shared_ptr<const Network> network;
};

Opened Open(const std::string& name) {
  const auto model = OpenModel(SharedData("zoo") / name);
  EXPECT_TRUE(model) << (model ? "" : DescribeError(model.error()));
  const auto network = Network::Build(*model);
  EXPECT_TRUE(network) << (network ? "" : DescribeError(network.error()));
  return {*model, *network};
}

DeepTest TestPair(const std::string& a, const std::string& b) {
  const Opened first = Open(a);
  const Opened second = Open(b);
  const SharedTokens tokens =
      *FindSharedTokens(first.model, *first.network, second.model, *second.network);
  EXPECT_EQ(tokens.note, "");
  const auto test = TestIndependence(*first.network, *second.network, tokens.pairs);
  EXPECT_TRUE(test) << (test ? "" : DescribeError(test.error()));
  return *test;
}

struct ZooPair {
  const char* a;
  const char* b;
};

std::string PairName(const testing::TestParamInfo<ZooPair>& pair) {
  std::string name = std::string(pair.param.a) + "_" + pair.param.b;
  for (char& letter : name) {
    if (letter == '-') letter = '_';
  }
  return name;
}

class DerivedPairTest : public testing::TestWithParam<ZooPair> {};

TEST_P(DerivedPairTest, IsBelowOneInATrillion) {
  SKIP_WITHOUT(SharedData("zoo"));
  const DeepTest test = TestPair(GetParam().a, GetParam().b);
  ASSERT_TRUE(test.log10_p);
  EXPECT_LT(*test.log10_p, -12.0);
}

INSTANTIATE_TEST_SUITE_P(
    Zoo, DerivedPairTest,
    testing::Values(ZooPair{"alder", "alder--cpt"}, ZooPair{"alder", "alder--launder-all-sft"},
                    ZooPair{"alder", "alder--upcycle-moe"}, ZooPair{"alder", "alder--prune-ffn"},
                    ZooPair{"alder", "alder--prune-depth"}, ZooPair{"alder", "alder--vocab-trim"},
                    ZooPair{"cedar", "cedar--launder-rot"}, ZooPair{"elm", "elm--launder-perm"},
                    ZooPair{"fir", "fir--launder-perm"}, ZooPair{"birch", "ginkgo"}),
    PairName);

class IndependentPairTest : public testing::TestWithParam<ZooPair> {};

TEST_P(IndependentPairTest, IsAboveOneInTenThousand) {
  SKIP_WITHOUT(SharedData("zoo"));
  const DeepTest test = TestPair(GetParam().a, GetParam().b);
  ASSERT_TRUE(test.log10_p);
  EXPECT_GT(*test.log10_p, -4.0);
  for (size_t part = 1; part < test.parts.size(); ++part) {
    EXPECT_EQ(test.parts[part].log10_p.value_or(0.0), 0.0) << test.parts[part].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, IndependentPairTest,
                         testing::Values(ZooPair{"alder", "alder--distill"},
                                         ZooPair{"elm", "elm--distill"},
                                         ZooPair{"fir", "fir--distill"}, ZooPair{"alder", "birch"},
                                         ZooPair{"alder--launder-all", "birch--launder-perm"}),
                         PairName);

TEST(FindingOfZooPairs, TellsAStartFromTrainingOn) {
  SKIP_WITHOUT(SharedData("zoo"));
  const TestFinding start = FindingOf(TestPair("birch", "ginkgo"));
  EXPECT_TRUE(start.same_positions);
  EXPECT_TRUE(start.same_shape);
  EXPECT_LT(start.contrast, 0.4);
  const TestFinding trained = FindingOf(TestPair("alder", "alder--cpt"));
  EXPECT_TRUE(trained.same_positions);
  EXPECT_GT(trained.contrast, 0.8);
  EXPECT_FALSE(trained.InTwoModes());
}

TEST(FindingOfZooPairs, TellsARewrittenCopyFromAStudent) {
  SKIP_WITHOUT(SharedData("zoo"));
  const TestFinding rewritten = FindingOf(TestPair("alder", "alder--launder-all-sft"));
  EXPECT_FALSE(rewritten.SameBasis());
  EXPECT_TRUE(rewritten.matched_other_basis);
  EXPECT_GT(rewritten.share_other_basis, 0.8);
  const TestFinding student = FindingOf(TestPair("alder", "alder--distill"));
  EXPECT_FALSE(student.AnyOrigin());
  EXPECT_TRUE(student.asked_in_full);
}

}  // namespace
}  // namespace tensorguard::internal
