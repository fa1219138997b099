#include "weights/adapters/name_regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "weights/adapters/module_pattern.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

bool RegexMatches(std::string_view pattern, std::string_view name) {
  auto regex = NameRegex::Compile(pattern);
  EXPECT_TRUE(regex) << pattern << ": " << DescribeError(regex.error());
  return regex && regex->Matches(name);
}

struct MatchCase {
  const char* pattern;
  const char* matching;
  const char* other;
};

// What Python's re.fullmatch says of each, checked there by hand.
TEST(NameRegexTest, MatchesAsPythonDoes) {
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

TEST(NameRegexTest, RefusesWhatIsNoRegexOrNotSupported) {
  const BadCase cases[] = {
      {"(a", ErrorKind::kBadFile, "unterminated group"},
      {"a)", ErrorKind::kBadFile, "unbalanced parenthesis"},
      {"[a", ErrorKind::kBadFile, "unterminated character set"},
      {"[b-a]", ErrorKind::kBadFile, "bad range"},
      {"*a", ErrorKind::kBadFile, "nothing to repeat"},
      {"a**", ErrorKind::kBadFile, "multiple repeat"},
      {"a{3,2}", ErrorKind::kBadFile, "minimum above maximum"},
      {"a\\", ErrorKind::kBadFile, "backslash at the end"},
      {"a{x}", ErrorKind::kUnsupported, "braces without counts"},
      {"(?=a)", ErrorKind::kUnsupported, "look-around"},
      {"(a)\\1", ErrorKind::kUnsupported, "escape of a letter or digit"},
      {"a{1001}", ErrorKind::kUnsupported, "count too high"},
      {"((a{90}){90}){90}", ErrorKind::kUnsupported, "too complex"},
      {"((((){900}){900}){900}){900}a{900}{2}", ErrorKind::kBadFile, "multiple repeat"},
      {std::string(200, '(') + std::string(200, ')'), ErrorKind::kUnsupported, "nested too deeply"},
      {std::string(5000, 'a'), ErrorKind::kUnsupported, "too long"},
  };
  for (const BadCase& bad : cases) {
    auto regex = NameRegex::Compile(bad.pattern);
    ASSERT_FALSE(regex) << bad.pattern;
    EXPECT_EQ(regex.error().kind, bad.kind) << bad.pattern;
    EXPECT_THAT(regex.error().problem, HasSubstr(bad.problem)) << bad.pattern;
  }
}

// A backtracking matcher needs 2^1000 steps here.
TEST(NameRegexTest, NeverBacktracks) {
  EXPECT_FALSE(RegexMatches("(a|a)*(a|a)*(aa|a)*b", std::string(1000, 'a')));
}

bool PatternMatches(std::string_view text, ModulePattern::Extent extent, std::string_view module) {
  auto pattern = ModulePattern::Compile(text, extent);
  EXPECT_TRUE(pattern) << DescribeError(pattern.error());
  return pattern && pattern->Matches(module);
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
