// SentencePiece model files made byte by byte, whole and broken.
#include "tokenizers/files/sentence_piece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;

constexpr char kPieces = 0x0a;  // field 1, length follows
constexpr char kText = 0x0a;
constexpr char kType = 0x18;  // field 3, varint

std::string Field(char tag, const std::string& bytes) {
  return std::string{tag, static_cast<char>(bytes.size())} + bytes;
}

// A piece with a score of four bytes, as trained models have it.
std::string Piece(const std::string& text, char type) {
  return Field(kPieces, Field(kText, text) + std::string("\x15\0\0\x80\x3f", 5) + kType + type);
}

Error RefusalOf(const std::string& bytes) {
  const auto vocabulary = ParseSentencePiece(bytes);
  EXPECT_FALSE(vocabulary);
  return vocabulary ? Error() : vocabulary.error();
}

TEST(SentencePiece, ReadsPiecesOfEveryType) {
  const std::string trainer = Field(0x12, "any bytes \xff");
  const std::string wide = std::string("\x19") + "12345678";  // field 3 of the model, eight bytes
  const auto vocabulary = ParseSentencePiece(
      Piece("<unk>", 2) + Piece("<s>", 3) + trainer + Piece("<0x0A>", 6) + Piece("\u2581the", 1) +
      wide + Piece("<0x0A>", 4) + Piece("x", 5) + Field(kPieces, Field(kText, "plain")));
  ASSERT_TRUE(vocabulary) << DescribeError(vocabulary.error());
  EXPECT_EQ(vocabulary->kind, TokenizerKind::kSentencePiece);
  const TokenList& tokens = vocabulary->tokens;
  ASSERT_EQ(tokens.size(), 7u);
  const std::vector<std::pair<std::string, bool>> expected = {
      {"<unk>", true},   {"<s>", true}, {"\n", false},   {" the", false},
      {"<0x0A>", false}, {"x", true},   {"plain", false}};
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    EXPECT_EQ(tokens[id].id, id);
    EXPECT_EQ(tokens[id].text, expected[id].first);
    EXPECT_EQ(tokens[id].token_class == TokenClass::kSpecial, expected[id].second) << id;
  }
}

TEST(SentencePiece, ABrokenMessageNamesTheByte) {
  const std::string good = Piece("a", 1);  // 12 bytes
  ASSERT_EQ(good.size(), 12u);
  struct Case {
    std::string bytes;
    std::string problem;
    uint64_t byte_offset;
  };
  for (const Case& broken : std::vector<Case>{
           {good + "\x0a", "ends within a number", 13},
           {good + "\x0a\x05xy", "reaches beyond the end", 14},
           {good + "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "reaches beyond the end", 23},
           {good + std::string(11, '\xff'), "too long", 21},
           {good + std::string("\x02\0", 2), "field number 0", 13},
           {good + "\x0b", "wire type 3", 13},
           {good + "\x0f", "wire type 7", 13},
           {good + "\x08\x01", "a piece is not stored", 13},
           {good + Field(kPieces, ""), "a piece is not stored", 14},
           {good + Field(kPieces, Field(kText, "a") + Field(kText, "b")), "text of a piece", 19},
           {good + Field(kPieces, "\x08\x01"), "text of a piece", 15},
           {good + Piece("a", 7), "type of a piece", 23},
           {good + Piece("a", 0), "type of a piece", 23},
           {good + Piece("a", 6), "a byte piece", 14}}) {
    const Error error = RefusalOf(broken.bytes);
    EXPECT_EQ(error.kind, ErrorKind::kBadFile);
    EXPECT_THAT(error.problem, HasSubstr(broken.problem));
    EXPECT_EQ(error.byte_offset, broken.byte_offset) << broken.problem;
  }
}

TEST(SentencePiece, EveryCutIsRefusedOrEndsBetweenPieces) {
  const std::string bytes = Piece("ab", 1) + Piece("cd", 1);
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto vocabulary = ParseSentencePiece(bytes.substr(0, length));
    EXPECT_EQ(static_cast<bool>(vocabulary), length % (bytes.size() / 2) == 0) << length;
  }
}

}  // namespace
}  // namespace tensorguard::internal
