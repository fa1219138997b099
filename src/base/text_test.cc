#include "base/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tensorguard::internal {
namespace {

using namespace std::string_literals;

TEST(EscapeControl, OrdinaryTextStaysAsItIs) {
  for (const char* text : {"", "model.layers.0.weight", "two words", "caf\xC3\xA9",
                           "\xE5\x90\x8D\xE5\x89\x8D", "\xF0\x9F\xA6\x99", "~\\\"'"}) {
    EXPECT_EQ(EscapeControl(text), text);
  }
}

TEST(EscapeControl, ControlCharactersAreShown) {
  EXPECT_EQ(EscapeControl("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(EscapeControl("a\nb\r\t"), "a\\x0ab\\x0d\\x09");
  EXPECT_EQ(EscapeControl("\0\x7F"s), "\\x00\\x7f");
  EXPECT_EQ(EscapeControl("\xC2\x9B"), "\\u{9b}");  // the one-character form of ESC [
}

TEST(EscapeControl, CharactersThatHideAreShown) {
  EXPECT_EQ(EscapeControl("\xE2\x80\xAE"), "\\u{202e}");       // right-to-left override
  EXPECT_EQ(EscapeControl("\xE2\x81\xA6"), "\\u{2066}");       // isolate
  EXPECT_EQ(EscapeControl("a\xE2\x80\x8B"), "a\\u{200b}");     // zero-width space
  EXPECT_EQ(EscapeControl("\xEF\xBB\xBF"), "\\u{feff}");       // byte order mark
  EXPECT_EQ(EscapeControl("\xC2\xAD"), "\\u{ad}");             // soft hyphen
  EXPECT_EQ(EscapeControl("\xF3\xA0\x81\x81"), "\\u{e0041}");  // tag
}

TEST(IsUtf8, KnowsOverlongFormsAndSurrogates) {
  for (const char* text : {"", "plain", "\u00e9", "\u20ac", "\U0001F600"})
    EXPECT_TRUE(IsUtf8(text));
  for (const char* text : {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(EscapeControl, BytesThatAreNotUtf8AreShown) {
  EXPECT_EQ(EscapeControl("a\xFFz"), "a\\xffz");
  EXPECT_EQ(EscapeControl("\xC3"), "\\xc3");  // cut short
  EXPECT_EQ(EscapeControl("\xE5\x90"), "\\xe5\\x90");
  EXPECT_EQ(EscapeControl("\xC0\xAF"), "\\xc0\\xaf");  // overlong
  EXPECT_EQ(EscapeControl("\xE0\x80\xAF"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(EscapeControl("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(EscapeControl("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(EscapeControl("\xF0\x8F\xBF\xBF"), "\\xf0\\x8f\\xbf\\xbf");
  EXPECT_EQ(EscapeControl("\x80"), "\\x80");
}

TEST(EscapeControl, LongTextIsCut) {
  EXPECT_EQ(EscapeControl("abcdef", 3), "abc...");
  EXPECT_EQ(EscapeControl("abc", 3), "abc");
  EXPECT_EQ(EscapeControl(std::string(1000, 'a')), std::string(400, 'a') + "...");
  EXPECT_LT(EscapeControl(std::string(5'000'000, '\x01')).size(), 410u);
}

TEST(NearestName, FindsSlipsOfTheHand) {
  const std::vector<std::string> known = {"fingerprint", "compare", "classify", "cluster"};
  EXPECT_EQ(NearestName("fingerpint", known), "fingerprint");
  EXPECT_EQ(NearestName("Compare", known), "compare");
  EXPECT_EQ(NearestName("clasify", known), "classify");
  EXPECT_EQ(NearestName("clutser", known), "cluster");
  const std::vector<std::string> short_names = {"alder", "birch"};
  EXPECT_EQ(NearestName("brich", short_names), "birch") << "swapped letters are one slip";
  EXPECT_EQ(NearestName("zzz", known), std::nullopt);
  EXPECT_EQ(NearestName("", known), std::nullopt);
  EXPECT_EQ(NearestName("compare", {}), std::nullopt);
}

TEST(NearestName, TakesTheFirstOfEquallyNear) {
  const std::vector<std::string> known = {"abcx", "abcy"};
  EXPECT_EQ(NearestName("abcz", known), "abcx");
}

TEST(NearestName, HugeTextCostsNothing) {
  const std::vector<std::string> known = {std::string(1'000'000, 'a'), "abc"};
  EXPECT_EQ(NearestName(std::string(1'000'000, 'a'), known), std::nullopt);
  EXPECT_EQ(NearestName("abd", known), "abc");
}

TEST(LowerAscii, ChangesAsciiLettersOnly) {
  EXPECT_EQ(LowerAscii("AbZ[@`{ 9\xC3\x89"), "abz[@`{ 9\xC3\x89");
  EXPECT_EQ(LowerAscii(""), "");
}

}  // namespace
}  // namespace tensorguard::internal
