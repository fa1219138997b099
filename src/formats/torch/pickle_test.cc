// Pickles as inert data: what is read, and that nothing else is let in.
#include "formats/torch/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/torch_builder.h"
#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;

Result<Pickle> Read(const std::string& bytes) {
  const ByteSource source = SourceOf(std::string_view(bytes));
  ByteCursor cursor(source, 0, kPickleLimitBytes);
  return ReadPickle(cursor);
}

std::string Problem(const std::string& bytes) {
  const auto pickle = Read(bytes);
  return pickle ? "no error" : DescribeError(pickle.error());
}

int64_t Integer(const std::string& opcodes) {
  const auto pickle = Read(opcodes + ".");
  EXPECT_TRUE(pickle);
  if (!pickle) return -12345;
  EXPECT_EQ((*pickle)[pickle->root].kind, PickleKind::kInteger);
  return (*pickle)[pickle->root].integer;
}

TEST(Pickle, NumbersOfEveryOpcode) {
  EXPECT_EQ(Integer("K\xFF"), 255);
  EXPECT_EQ(Integer("M\x01\x80"), 0x8001);
  EXPECT_EQ(Integer("J\xFE\xFF\xFF\xFF"), -2);
  EXPECT_EQ(Integer("\x8A\x00"s), 0);
  EXPECT_EQ(Integer("\x8A\x02\x00\xFF"s), -256);
  EXPECT_EQ(Integer("\x8B\x01\x00\x00\x00\x7F"s), 127);
  EXPECT_EQ(Integer("I-7\n"), -7);
  EXPECT_EQ(Integer("L12L\n"), 12);
}

TEST(Pickle, DictionariesOfEveryProtocol) {
  // {"a": (1, [])} with frames, memory and short texts, and as protocol 0 has it.
  for (const std::string& bytes : {"\x80\x04\x95\x0F\0\0\0\0\0\0\0}\x94\x8C\x01"
                                   "a\x94K\x01]\x94\x86\x94s."s,
                                   "(dp0\nVa\np1\n(I1\n(lp2\ntp3\ns."s,
                                   "\x80\x02}q\0(U\x01"
                                   "aK\x01]q\x01\x86u."s}) {
    const auto pickle = Read(bytes);
    ASSERT_TRUE(pickle) << DescribeError(pickle.error());
    const PickleValue& dict = (*pickle)[pickle->root];
    ASSERT_EQ(dict.kind, PickleKind::kDict);
    ASSERT_EQ(dict.items.size(), 2u);
    EXPECT_EQ((*pickle)[dict.items[0]].text, "a");
    const PickleValue& tuple = (*pickle)[dict.items[1]];
    ASSERT_EQ(tuple.items.size(), 2u);
    EXPECT_EQ((*pickle)[tuple.items[0]].integer, 1);
    EXPECT_EQ((*pickle)[tuple.items[1]].kind, PickleKind::kList);
  }
}

TEST(Pickle, OrderedDictOfPairs) {
  const auto pickle =
      Read(WholePickle(PickleCall(PickleGlobalName("collections", "OrderedDict"),
                                  {PickleList({PickleList({PickleText("a"), PickleNumber(3)})})})));
  ASSERT_TRUE(pickle);
  EXPECT_EQ((*pickle)[pickle->root].kind, PickleKind::kDict);
  EXPECT_EQ((*pickle)[pickle->root].items.size(), 2u);
}

TEST(Pickle, CodeIsRefusedByName) {
  const std::string expected =
      "file asks for Python code, and only tensors are read (byte 2)\n"
      "  found:    posix.system\n";
  EXPECT_THAT(
      Problem(WholePickle(PickleCall(PickleGlobalName("posix", "system"), {PickleText("true")}))),
      StartsWith(expected));
  EXPECT_THAT(Problem("\x80\x04\x8C\x05posix\x8C\x06system\x93."), HasSubstr("posix.system"));
  for (const char* name : {"eval", "exec", "getattr", "__import__", "open", "type"}) {
    EXPECT_THAT(Problem(WholePickle(PickleGlobalName("builtins", name))),
                HasSubstr("builtins."s + name));
  }
  EXPECT_THAT(Problem(WholePickle(PickleGlobalName("torch._utils", "_rebuild_qtensor"))),
              HasSubstr("torch._utils._rebuild_qtensor"));
  EXPECT_THAT(Problem(WholePickle(PickleGlobalName("torch.nn.modules.linear", "Linear"))),
              HasSubstr("torch.nn.modules.linear.Linear"));
  // A name with a dot must not reach into a module that is let in.
  EXPECT_THAT(Problem("\x80\x04\x8C\x05torch\x8C\x0Chub.loadfile\x93."),
              HasSubstr("torch.hub.loadfile"));
}

TEST(Pickle, OpcodesThatNoTensorNeeds) {
  for (const char* opcodes :
       {"(iposix\nsystem\n.", "(cposix\nsystem\no.", "\x82\x01.", "P1\n.", "\x97.", "\xFF."}) {
    EXPECT_NE(Problem(opcodes), "no error");
  }
  EXPECT_THAT(Problem("\x82\x01."), StartsWith("pickle has an opcode that no tensor needs"));
  EXPECT_THAT(Problem("\x80\x06N."), StartsWith("pickle is of a protocol that is not read"));
}

TEST(Pickle, BrokenProgramsAreNamed) {
  struct Case {
    std::string bytes;
    std::string problem;
  };
  const std::vector<Case> cases = {
      {"", "file ends inside a value"},
      {"N", "file ends inside a value"},
      {".", "pickle does not end with one value"},
      {"NN.", "pickle does not end with one value"},
      {"0.", "pickle takes a value that is not there"},
      {"t.", "pickle goes back to a mark that is not there"},
      {"N(a.", "pickle takes a value that is not there"},
      {"h\x05.", "pickle recalls a value that it did not memorise"},
      {"q\x01.", "pickle takes a value that is not there"},
      {"N)R.", "pickle calls what is no function"},
      {"ccollections\nOrderedDict\nNR.", "pickle calls a function without a tuple"},
      {"NK\x01"
       "a.",
       "pickle puts items into a value that holds none"},
      {"}(Nu.", "pickle has a key without a value"},
      {"(Nd.", "pickle has a key without a value"},
      {"N]b.", "pickle changes a value in a way that is not read"},
      {"NN\x93.", "pickle names a function by what is no text"},
      {"I1x\n.", "pickle holds a number that is none"},
      {"Sabc\n.", "pickle holds a text without quotes"},
      {"X\xFF\xFF\xFF\xFFz.", "file ends inside a value"},
      {"\x8E\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFz.", "file ends inside a value"},
  };
  for (const Case& test : cases) EXPECT_THAT(Problem(test.bytes), StartsWith(test.problem));
}

TEST(Pickle, MemoryIsBounded) {
  // A list of pairs that is made a dictionary again and again.
  std::string copies = "]q\x01(";
  for (int i = 0; i < 1 << 14; ++i) copies += "NN\x86";
  copies += "e0";
  for (int i = 0; i < 600; ++i) copies += "ccollections\nOrderedDict\nh\x01\x85R0";
  EXPECT_THAT(Problem(copies + "N."), StartsWith("pickle copies its lists again and again"));
}

}  // namespace
}  // namespace tensorguard::internal
