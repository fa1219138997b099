// What is refused by name, and what looks like codes and is none.
#include "weights/quantised/foreign_quantisers.h"

#include <gtest/gtest.h>

#include "tests/support/quantised_models.h"

namespace tensorguard::internal {
namespace {

TEST(OtherQuantisers, AreRefusedByName) {
  const auto problem = [](const char* name, const char* dtype) {
    const std::string bytes(64, '\1');
    const size_t each = std::string(dtype) == "I8" || std::string(dtype) == "U8" ? 1 : 2;
    return ErrorOf({{name, dtype, {8, 8 / each}, bytes}}).problem;
  };
  EXPECT_EQ(problem("l.0.q.codes", "I16"), "weights quantised with AQLM are not read");
  EXPECT_EQ(problem("l.0.q.trellis", "I16"), "weights quantised with EXL3 or QTIP are not read");
  EXPECT_EQ(problem("l.0.q.Qidxs", "I16"), "weights quantised with QuIP# are not read");
  EXPECT_EQ(problem("l.0.q.weight._data", "I8"), "weights quantised with quanto are not read");
  EXPECT_EQ(problem("l.0.q.bitmask", "U8"),
            "weights quantised with sparse bitmask of compressed-tensors are not read");
  EXPECT_EQ(problem("l.0.q.weight", "U8"),
            "integers stand where a weight should be, packed in an unknown way");
  EXPECT_EQ(ErrorOf({{"l.0.q.weight", "U8", {8, 8}, std::string(64, '\1')}},
                    {{"quant_method", "some-new-one"}})
                .problem,
            "weights packed by \"some-new-one\" in this way are not read");
}

// A quantiser that is named in the config of plain weights has not been run yet.
TEST(OtherQuantisers, LeavePlainWeightsAndBuffersAlone) {
  const std::vector<BuiltTensor> tensors = {
      F32Tensor("h.0.q.weight", {2, 2}, {1, 2, 3, 4}),
      {"h.0.attn.bias", "U8", {1, 1, 2, 2}, std::string(4, '\1')},
      {"position_ids", "I64", {1, 2}, std::string(16, '\0')}};
  const ScratchFolder folder;
  const auto weights = Dequantised(folder, tensors, {{"quant_method", "aqlm"}});
  ASSERT_TRUE(weights) << DescribeError(weights.error());
  EXPECT_EQ((*weights)->tensors().size(), 3u);
}

}  // namespace
}  // namespace tensorguard::internal
