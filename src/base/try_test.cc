#include "base/try.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace tensorguard::internal {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Error{.problem = "odd", .found = std::to_string(number)};
  return number / 2;
}

Result<void> CheckEven(int number) {
  TG_TRY(Half(number));
  return {};
}

Result<int> Quarter(int number) {
  TG_ASSIGN(const int half, Half(number));
  TG_ASSIGN(const int quarter, Half(half));
  return quarter;
}

Result<std::string> HalvesText(int number) {
  std::string text;
  for (int i = 0; i < 2; ++i) {
    TG_TRY(CheckEven(number));
    TG_ASSIGN(number, Half(number));
    text += std::to_string(number) + ' ';
  }
  return text;
}

Result<std::unique_ptr<int>> Owned(int number) {
  const auto make = [](int half) -> Result<std::unique_ptr<int>> {
    TG_TRY(CheckEven(half));
    return std::make_unique<int>(half);
  };
  TG_ASSIGN(auto owned, make(number));
  return owned;
}

TEST(Try, HandsTheErrorOn) {
  EXPECT_TRUE(CheckEven(2));
  EXPECT_EQ(CheckEven(3).error().problem, "odd");
  EXPECT_EQ(CheckEven(3).error().found, "3");
}

TEST(Try, AssignsWhatTheResultHolds) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().found, "3");
  EXPECT_EQ(Quarter(5).error().found, "5");
  EXPECT_EQ(*HalvesText(8), "4 2 ");
  EXPECT_EQ(HalvesText(6).error().found, "3");
}

TEST(Try, MovesWhatCannotBeCopied) {
  EXPECT_EQ(**Owned(4), 4);
  EXPECT_EQ(Owned(3).error().problem, "odd");
}

}  // namespace
}  // namespace tensorguard::internal
