#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::StartsWith;

std::string Problem(std::string_view text) {
  const auto json = ParseJson(text);
  return json ? "no error" : DescribeError(json.error());
}

TEST(Json, ValuesOfEveryKind) {
  const auto json = ParseJson(
      "\n{\"a\": [1, -2, 3.5, true, null], \"b\": {\"c\": \"\\u00e9\\n\"}, \"\": "
      "18446744073709551615} ");
  ASSERT_TRUE(json) << DescribeError(json.error());
  EXPECT_EQ((*json)["a"], Json({1, -2, 3.5, true, nullptr}));
  EXPECT_EQ((*json)["b"]["c"], "\xC3\xA9\n");
  EXPECT_EQ((*json)[""].get<uint64_t>(), 18446744073709551615u);
}

TEST(Json, ScalarsAreDocuments) {
  EXPECT_EQ(*ParseJson("3"), Json(3));
  EXPECT_EQ(*ParseJson("\"x\""), Json("x"));
  EXPECT_EQ(*ParseJson("null"), Json(nullptr));
}

TEST(Json, SyntaxErrorsHaveTheirByte) {
  struct Row {
    std::string text;
    uint64_t byte_offset;
  };
  using namespace std::string_literals;
  for (const auto& [text, byte_offset] : std::initializer_list<Row>{
           {"", 0},
           {" ", 0},
           {"{", 0},
           {"[1,]", 3},
           {"{\"a\":1,}", 7},
           {"{\"a\" 1}", 6},  // of a number, the byte after it
           {"{} {}", 3},
           {"[1] x", 4},
           {"[01]", 3},
           {"[+1]", 1},
           {"['a']", 1},
           {"// x\n1", 0},
           {"[tru]", 4},
           {"[\"a\nb\"]", 3},
           {"[\"\\x\"]", 3},
           {"[\"\\ud800\"]", 8},
           {"[\"\xFF\"]", 2},
           {"[\"\xC0\xAF\"]", 2},
           {"[\"\xED\xA0\x80\"]", 3},
           {"\xFF", 0},
           {"[1]\0 tail"s, 3},
           {"[\"a\0b\"]"s, 3},
           {"\0"s, 0},
           {"[1e999]", 6},
       }) {
    const auto json = ParseJson(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().problem, "not valid JSON") << text;
    EXPECT_EQ(json.error().byte_offset, byte_offset) << text << "\n" << Problem(text);
  }
}

TEST(Json, ErrorsTellWhatTheParserSaw) {
  EXPECT_EQ(
      Problem("[1,]"),
      "not valid JSON (byte 3)\n"
      "  found:    syntax error while parsing value - unexpected ']'; expected '[', '{', or a "
      "literal");
  EXPECT_EQ(Problem("[1e999]"),
            "not valid JSON (byte 6)\n  found:    number overflow parsing '1e999'");
  EXPECT_EQ(Problem(std::string("[1]\0", 4)), "not valid JSON (byte 3)\n  found:    a zero byte");
  EXPECT_EQ(Problem(std::string(1, '\0')), "not valid JSON (byte 0)\n  found:    a zero byte");
}

TEST(Json, DuplicateKeysAreRefused) {
  EXPECT_EQ(Problem("{\"a\": 1, \"b\": {\"a\": 2}, \"a\": 3}"),
            "key occurs twice in one JSON object (byte 26)\n  found:    a");
  EXPECT_THAT(Problem(R"({"a": 1, "\u0061": 2})"), StartsWith("key occurs twice"));
  EXPECT_EQ(Problem(R"([{"a": 1}, {"a": 2}, {"b": {"a": 1}, "a": 2}])"), "no error");
}

std::string Nested(size_t levels, const std::string& inside = "") {
  return std::string(levels, '[') + inside + std::string(levels, ']');
}

TEST(Json, NestingIsBounded) {
  EXPECT_EQ(Problem(Nested(64)), "no error");
  EXPECT_EQ(Problem(Nested(65)), "JSON is nested deeper than 64 levels (byte 64)");
  EXPECT_EQ(Problem(std::string(1'000'000, '[')), "JSON is nested deeper than 64 levels (byte 64)");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(Problem(objects), "JSON is nested deeper than 64 levels (byte 320)");
  EXPECT_EQ(Problem(Nested(100'000, "NaN")), "JSON is nested deeper than 64 levels (byte 64)");
}

TEST(Json, PythonNumbersBecomeNull) {
  const auto json = ParseJson(
      R"({"a": NaN, "b": [Infinity, -Infinity, -1], "c": "NaN \" Infinity \\", "d":NaN})");
  ASSERT_TRUE(json) << DescribeError(json.error());
  EXPECT_EQ((*json)["a"], nullptr);
  EXPECT_EQ((*json)["b"], Json({nullptr, nullptr, -1}));
  EXPECT_EQ((*json)["c"], "NaN \" Infinity \\");
  EXPECT_EQ((*json)["d"], nullptr);
  EXPECT_EQ(*ParseJson("NaN"), nullptr);
}

TEST(Json, PythonNumbersStandOnlyWhereAValueMay) {
  for (const char* text : {"{NaN: 1}", "[5NaN]", "[NaN5]", "[NaNNaN]", "[-NaN]", "[--Infinity]",
                           "[Nan]", "[nan]", "[Inf]", "NaN NaN", "[\"a\" NaN]"}) {
    EXPECT_THAT(Problem(text), StartsWith("not valid JSON")) << text;
  }
}

TEST(Json, AnErrorAfterAPythonNumberKeepsItsPlace) {
  EXPECT_THAT(Problem("[-Infinity, NaN, x]"), StartsWith("not valid JSON (byte 17)"));
  EXPECT_EQ(Problem("{\"a\": NaN, \"a\": 1}"),
            "key occurs twice in one JSON object (byte 13)\n  found:    a");
  EXPECT_THAT(Problem("[x, NaN]"), StartsWith("not valid JSON (byte 1)"));
}

TEST(Json, HugeTokensMakeShortErrors) {
  EXPECT_LT(Problem("[\"" + std::string(300'000, 'a')).size(), 600u);
  EXPECT_LT(Problem("[" + std::string(300'000, '1') + "]").size(), 600u);
}

TEST(Json, FilesAreNamedInErrors) {
  const ScratchFolder folder;
  const auto good = folder.Write("good.json", "[1]");
  EXPECT_EQ(*ReadJsonFile(good), Json({1}));

  const auto bad = folder.Write("bad.json", "[1");
  const auto json = ReadJsonFile(bad);
  ASSERT_FALSE(json);
  EXPECT_THAT(DescribeError(json.error()), StartsWith(bad.string() + ": not valid JSON (byte 1)"));

  EXPECT_EQ(ReadJsonFile(good, 2).error().problem, "file is too large for what it should hold");
  EXPECT_EQ(ReadJsonFile(folder.path() / "none.json").error().kind, ErrorKind::kNotFound);
}

TEST(Json, GitLfsPointersAreNamed) {
  const ScratchFolder folder;
  const auto file = folder.Write(
      "a.json", "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n");
  EXPECT_EQ(DescribeError(ReadJsonFile(file).error()),
            file.string() +
                ": a Git LFS pointer, not the file itself\n"
                "  try:      run \"git lfs pull\" in the folder to fetch the file");
  EXPECT_FALSE(IsGitLfsPointer("version 1"));
  EXPECT_FALSE(IsGitLfsPointer(""));
}

}  // namespace
}  // namespace tensorguard::internal
