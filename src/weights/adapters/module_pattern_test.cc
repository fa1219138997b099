#include "weights/adapters/module_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

bool PatternMatches(std::string_view text, ModulePattern::Extent extent, std::string_view module) {
  auto pattern = ModulePattern::Compile(text, extent);
  EXPECT_TRUE(pattern) << text << ": " << DescribeError(pattern.error());
  return pattern && pattern->Matches(module);
}

bool RegexMatches(std::string_view pattern, std::string_view name) {
  return PatternMatches(pattern, ModulePattern::Extent::kWhole, name);
}

struct MatchCase {
  const char* pattern;
  const char* matching;
  const char* other;
};

// What Python's re.fullmatch says of each, checked there by hand.
TEST(ModulePatternTest, MatchesAsPythonDoes) {
  const MatchCase cases[] = {
      {"abc", "abc", "abcd"},
      {"a.c", "axc", "ac"},
      {"a|bc", "bc", "ac"},
      {"(a|b)c", "bc", "b"},
      {"(?:ab)*", "ababab", "aba"},
      {"(?:ab)+c", "ababc", "c"},
      {"ab?c", "ac", "abbc"},
      {"a{3}", "aaa", "aa"},
      {"a{2,3}", "aaa", "aaaa"},
      {"a{2,}", "aaaaa", "a"},
      {"a{,2}b", "aab", "aaab"},
      {"(a|b){2}c", "abc", "ac"},
      {".*?b", "aab", "aba"},
      {"[a-c]x", "bx", "dx"},
      {"[^a-c]x", "dx", "ax"},
      {"[]x]+", "]x", "["},
      {"[a-]+", "-a", "b"},
      {"[\\d.]+", "1.5", "x"},
      {"layers\\.(2[0-9]|3[01])\\..*", "layers.31.mlp", "layers.32.mlp"},
      {"\\w+", "q_proj", "q.proj"},
      {"\\D\\S\\W", "ab.", "1b."},
      {"^a$", "a", "b"},
      {"x(^a)?", "x", "xa"},
      {"(a$)?b|a", "a", "ab"},
      {"", "", "a"},
      {"a||b", "", "ab"},
      {"((a*)*)*b", "aab", "aac"},
      {"a{x}", "a{x}", "ax"},
      {"a{,}b", "aaab", "a{,}b"},
      {"a\\{,2}", "a{,2}", "aa"},
      {"[{,2}]+", "{,2}", "3"},
      {"[^]a]x", "bx", "]x"},
      {"(?P<layer>\\d+)\\.q", "12.q", "x.q"},
      {"\\.\\_\\-", "._-", "x_-"},
      {"a.c",
       "a\xC3\xA9"
       "c",
       "a\xC3\xA9\xC3\xA9"
       "c"},
  };
  for (const MatchCase& match : cases) {
    EXPECT_TRUE(RegexMatches(match.pattern, match.matching)) << match.pattern;
    EXPECT_FALSE(RegexMatches(match.pattern, match.other)) << match.pattern;
  }
}

struct BadCase {
  std::string pattern;
  ErrorKind kind;
  const char* problem;
};

TEST(ModulePatternTest, RefusesWhatIsNoRegexOrNotSupported) {
  const BadCase cases[] = {
      {"(a", ErrorKind::kBadFile, "missing )"},
      {"a)", ErrorKind::kBadFile, "unexpected )"},
      {"a)|(b", ErrorKind::kBadFile, "unexpected )"},
      {"[a", ErrorKind::kBadFile, "missing ]"},
      {"[b-a]", ErrorKind::kBadFile, "invalid character class range"},
      {"*a", ErrorKind::kBadFile, "no argument for repetition"},
      {"a**", ErrorKind::kBadFile, "bad repetition operator"},
      {"a{2}{3}", ErrorKind::kBadFile, "bad repetition operator"},
      {"a\\", ErrorKind::kBadFile, "trailing \\"},
      {"a{3,2}", ErrorKind::kUnsupported, "invalid repetition size"},
      {"(?=a)", ErrorKind::kUnsupported, "look-around"},
      {"(?<!a)b", ErrorKind::kUnsupported, "look-around"},
      {"(?i)a", ErrorKind::kUnsupported, "flags"},
      {"(a)\\1", ErrorKind::kUnsupported, "invalid escape"},
      {"(?P<n>a)(?P=n)", ErrorKind::kUnsupported, "look-around, flags"},
      {"[[:alpha:]]", ErrorKind::kUnsupported, "[: in a class"},
      {"\\pN", ErrorKind::kUnsupported, "the escape \\p"},
      {"\\Qa", ErrorKind::kUnsupported, "the escape \\Q"},
      {"a{1001}", ErrorKind::kUnsupported, "invalid repetition size"},
      {"((a{90}){90}){90}", ErrorKind::kUnsupported, "invalid repetition size"},
      {"(a{900}){1000}", ErrorKind::kUnsupported, "invalid repetition size"},
      {std::string(5000, 'a'), ErrorKind::kUnsupported, "too long"},
  };
  for (const BadCase& bad : cases) {
    auto pattern = ModulePattern::Compile(bad.pattern, ModulePattern::Extent::kTail);
    ASSERT_FALSE(pattern) << bad.pattern;
    EXPECT_EQ(pattern.error().kind, bad.kind) << bad.pattern;
    EXPECT_THAT(pattern.error().problem, HasSubstr(bad.problem)) << bad.pattern;
  }
}

TEST(ModulePatternTest, TakesNoMoreMemoryThanAllowed) {
  std::string many;
  for (int i = 0; i < 60; ++i) many += (i == 0 ? "" : "|") + std::string("(.{0,999}x)");
  const auto pattern = ModulePattern::Compile(many, ModulePattern::Extent::kTail);
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(pattern.error().problem, HasSubstr("pattern too large"));
}

// A backtracking matcher needs 2^1000 steps here.
TEST(ModulePatternTest, NeverBacktracks) {
  EXPECT_FALSE(RegexMatches("(a|a)*(a|a)*(aa|a)*b", std::string(1000, 'a')));
}

TEST(ModulePatternTest, TailBeginsAfterADot) {
  const auto tail = ModulePattern::Extent::kTail;
  const char* module = "model.layers.1.self_attn.q_proj";
  for (const char* matching :
       {"q_proj", "self_attn.q_proj", "model.layers.1.self_attn.q_proj", "self.attn.q.proj",
        ".*attn.q_proj", "layers\\.[0-4]\\..*", "^model.layers.1.self_attn.q_proj", "(k|q)_proj"}) {
    EXPECT_TRUE(PatternMatches(matching, tail, module)) << matching;
  }
  for (const char* other : {"proj", "attn.q_proj", "q_proj.x", "x.model.layers.1.self_attn.q_proj",
                            "^q_proj", "layers\\.[2-4]\\..*", "(k|v)_proj", ""}) {
    EXPECT_FALSE(PatternMatches(other, tail, module)) << other;
  }
}

TEST(ModulePatternTest, WholeIsTheWholeName) {
  const auto whole = ModulePattern::Extent::kWhole;
  EXPECT_TRUE(PatternMatches("layers.0.fc2", whole, "layers.0.fc2"));
  EXPECT_TRUE(PatternMatches(".*\\.fc[12]", whole, "layers.0.fc2"));
  EXPECT_FALSE(PatternMatches("fc2", whole, "layers.0.fc2"));
  EXPECT_FALSE(PatternMatches("fc[12]", whole, "layers.0.fc2"));
}

}  // namespace
}  // namespace tensorguard::internal
