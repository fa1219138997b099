// No published architecture lacks anything.
#include "network/missing_parts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/real_architectures.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

TEST(FindMissingParts, FindsNothingInTheArchitecturesAsPublished) {
  SKIP_WITHOUT(SharedData("real/architectures"));
  for (const std::string& name : kRealArchitectures) {
    const auto model = OpenModel(SharedData("real/architectures") / name);
    ASSERT_TRUE(model) << DescribeError(model.error());
    const auto network = Network::Build(*model);
    ASSERT_TRUE(network) << DescribeError(network.error());
    for (const MissingPart& part : FindMissingParts(model->config, **network)) {
      ADD_FAILURE() << name << ": " << part.what << ", found " << part.found << ", expected "
                    << part.expected;
    }
  }
}

TEST(NumberRanges, JoinsNeighbours) {
  EXPECT_EQ(NumberRanges({}), "");
  EXPECT_EQ(NumberRanges({4}), "4");
  EXPECT_EQ(NumberRanges({0, 1, 2, 5, 7, 8}), "0-2, 5, 7-8");
}

}  // namespace
}  // namespace tensorguard::internal
