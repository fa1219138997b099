#include "cli/output/text_layout.h"

#include <gtest/gtest.h>

namespace tensorguard::internal::cli {
namespace {

TEST(TextLayout, GroupsDigitsByThousands) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(18446744073709551615u), "18,446,744,073,709,551,615");
}

TEST(TextLayout, WritesDurationsAsAClock) {
  EXPECT_EQ(ReadableDuration(0.4), "0:00");
  EXPECT_EQ(ReadableDuration(62), "1:02");
  EXPECT_EQ(ReadableDuration(3723), "1:02:03");
  EXPECT_EQ(ReadableDuration(1e30), "99:59:59");
}

TEST(TextLayout, WrapsAtBlanksAndKeepsLongWordsWhole) {
  EXPECT_EQ(Wrapped("one two three", 2, 9), "  one two\n  three\n");
  EXPECT_EQ(Wrapped("a incomprehensibilities b", 0, 5), "a\nincomprehensibilities\nb\n");
}

TEST(TextLayout, SetsColumnsByWidthAndDropsBlanksAtLineEnds) {
  EXPECT_EQ(
      Columns({{"a", "1", "x"}, {"long", "100", ""}}, {Align::kLeft, Align::kRight, Align::kLeft}),
      "a       1  x\nlong  100\n");
}

TEST(TextLayout, CountsLettersNotBytes) {
  EXPECT_EQ(DisplayWidth("\xC3\xA4"
                         "b"),
            2u);
  EXPECT_EQ(Columns({{"\xC3\xA4", "x"}, {"ab", "y"}}, {Align::kLeft, Align::kLeft}),
            "\xC3\xA4   x\nab  y\n");
}

TEST(TextLayout, SplitKeepsEmptyParts) {
  EXPECT_EQ(Split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(Split("", ','), (std::vector<std::string>{""}));
}

}  // namespace
}  // namespace tensorguard::internal::cli
