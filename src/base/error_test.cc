#include "tensorguard/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {
namespace {

TEST(Error, DescribesTheProblemAlone) {
  EXPECT_EQ(DescribeError({.problem = "no such thing"}), "no such thing");
}

TEST(Error, DescribesPlaceThenDetails) {
  EXPECT_EQ(DescribeError({.problem = "shape and data range disagree",
                           .file = "a/model.safetensors",
                           .tensor = "w",
                           .byte_offset = 0,
                           .found = "4 bytes",
                           .expected = "8 bytes",
                           .advice = "fetch the file again"}),
            "a/model.safetensors: tensor \"w\": shape and data range disagree (byte 0)\n"
            "  found:    4 bytes\n"
            "  expected: 8 bytes\n"
            "  try:      fetch the file again");
}

TEST(Error, EveryPartIsSafeToPrint) {
  const std::string bad = "\x1b]0;owned\a\n";
  const std::string text = DescribeError(
      {.problem = bad, .file = bad, .tensor = bad, .found = bad, .expected = bad, .advice = bad});
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_EQ(text.find('\a'), text.npos);
  size_t lines = 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  EXPECT_EQ(lines, 4u);
}

TEST(Error, OuterLayersOnlyFillWhatIsUnknown) {
  const Error inner = {.problem = "p", .file = "inner", .tensor = ""};
  const Error outer = Error(inner).InFile("outer").InTensor("w");
  EXPECT_EQ(outer.file, "inner");
  EXPECT_EQ(outer.tensor, "w");
  EXPECT_EQ(Error(outer).InTensor("x").tensor, "w");
  EXPECT_EQ(Error{.problem = "p"}.InFile("outer").file, "outer");
}

TEST(Error, KindsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const ErrorKind kind : {ErrorKind::kBadFile, ErrorKind::kNotFound, ErrorKind::kUnsupported,
                               ErrorKind::kMismatch, ErrorKind::kUsage, ErrorKind::kSystem}) {
    names.insert(ErrorKindName(kind));
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"bad_file", "not_found", "unsupported", "mismatch",
                                               "usage", "system"}));
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> value = 3;
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, 3);
  const Result<int> error = Error{.problem = "p"};
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().problem, "p");
  const std::vector<Result<void>> results = {{}, Error{.problem = "p"}};
  EXPECT_TRUE(results[0]);
  EXPECT_FALSE(results[1]);
}

}  // namespace
}  // namespace tensorguard::internal
