#include "tokenizers/spelling.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

// GPT-2's table: printable bytes of Latin-1 are themselves, the other 68 are U+0100 and on, in
// order. Indexed by code point; -1 where a code point stands for no byte.
constexpr size_t kByteLevelCodePoints = 256 + 68;

constexpr bool IsPrintableLatin1(int byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

constexpr std::array<int16_t, kByteLevelCodePoints> ByteOfCodePoint() {
  std::array<int16_t, kByteLevelCodePoints> bytes = {};
  for (int16_t& byte : bytes) byte = -1;
  size_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const size_t code_point = IsPrintableLatin1(byte) ? static_cast<size_t>(byte) : next++;
    bytes[code_point] = static_cast<int16_t>(byte);
  }
  return bytes;
}

constexpr auto kByteOfCodePoint = ByteOfCodePoint();
constexpr std::string_view kByteLevelSpace = "\u0120";

// Takes a character of one or two bytes of UTF-8 off `text`, which is all that the table needs.
std::optional<size_t> TakeShortCodePoint(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  if (text.size() < 2 || (first & 0xe0) != 0xc0) return {};
  const auto second = static_cast<unsigned char>(text[1]);
  if ((second & 0xc0) != 0x80) return {};
  text.remove_prefix(2);
  return static_cast<size_t>(first & 0x1f) << 6 | (second & 0x3f);
}

struct DecodedToken {
  std::string text;
  TokenClass token_class = TokenClass::kText;
};

DecodedToken Decode(const Token& spelled, TokenizerKind kind, std::string_view prefix) {
  const bool spells_spaces =
      spelled.token_class == TokenClass::kLiteral && kind == TokenizerKind::kSentencePiece;
  if (spells_spaces) return {DecodeSentencePiece(spelled.text), TokenClass::kLiteral};
  if (spelled.token_class != TokenClass::kText) {
    return {std::string(spelled.text), spelled.token_class};
  }
  switch (kind) {
    case TokenizerKind::kByteLevelBpe:
      return {DecodeByteLevel(spelled.text)};
    case TokenizerKind::kSentencePiece:
      if (const auto byte = SentencePieceByte(spelled.text)) {
        return {std::string(1, *byte), TokenClass::kByte};
      }
      return {DecodeSentencePiece(spelled.text)};
    case TokenizerKind::kWordPiece:
      break;
  }
  if (IsWordPieceControl(spelled.text)) return {std::string(spelled.text), TokenClass::kSpecial};
  return {DecodeWordPiece(spelled.text, prefix)};
}

}  // namespace

std::string_view TokenizerKindName(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::kByteLevelBpe:
      return "byte-level BPE";
    case TokenizerKind::kSentencePiece:
      return "SentencePiece";
    case TokenizerKind::kWordPiece:
      break;
  }
  return "WordPiece";
}

std::string DecodeByteLevel(std::string_view spelled) {
  std::string text;
  for (std::string_view rest = spelled; !rest.empty();) {
    const auto code_point = TakeShortCodePoint(rest);
    if (!code_point || *code_point >= kByteLevelCodePoints || kByteOfCodePoint[*code_point] < 0) {
      return std::string(spelled);
    }
    text += static_cast<char>(kByteOfCodePoint[*code_point]);
  }
  return text;
}

std::string DecodeSentencePiece(std::string_view spelled) {
  std::string text;
  while (!spelled.empty()) {
    const size_t space = spelled.find(kSentencePieceSpace);
    text += spelled.substr(0, space);
    if (space == spelled.npos) break;
    text += ' ';
    spelled.remove_prefix(space + kSentencePieceSpace.size());
  }
  return text;
}

std::string DecodeWordPiece(std::string_view spelled, std::string_view continuation_prefix) {
  const bool goes_on =
      spelled.size() > continuation_prefix.size() && spelled.starts_with(continuation_prefix);
  if (goes_on) return std::string(spelled.substr(continuation_prefix.size()));
  return " " + std::string(spelled);
}

std::optional<char> SentencePieceByte(std::string_view spelled) {
  if (spelled.size() != 6 || !spelled.starts_with("<0x") || spelled.back() != '>') return {};
  const char* end = spelled.data() + 5;
  uint8_t byte = 0;
  const auto [stopped, error] = std::from_chars(spelled.data() + 3, end, byte, 16);
  if (error != std::errc() || stopped != end) return {};
  return static_cast<char>(byte);
}

bool IsWordPieceControl(std::string_view spelled) {
  return spelled.size() > 2 && spelled.front() == '[' && spelled.back() == ']';
}

bool IsControlByName(std::string_view spelled) {
  constexpr std::array<std::string_view, 7> kNames = {"<s>",    "</s>",  "<unk>", "<pad>",
                                                      "<mask>", "<bos>", "<eos>"};
  if (spelled.size() > 4 && spelled.starts_with("<|") && spelled.ends_with("|>")) return true;
  return std::find(kNames.begin(), kNames.end(), spelled) != kNames.end();
}

std::optional<TokenizerKind> KindBySpelling(const TokenList& spelled) {
  size_t byte_level = 0;
  size_t sentence_piece = 0;
  for (size_t i = 0; i < spelled.size(); ++i) {
    if (spelled[i].text.starts_with(kByteLevelSpace)) ++byte_level;
    if (spelled[i].text.starts_with(kSentencePieceSpace)) ++sentence_piece;
  }
  if (byte_level == sentence_piece) return {};
  return byte_level > sentence_piece ? TokenizerKind::kByteLevelBpe : TokenizerKind::kSentencePiece;
}

Result<TokenList> DecodeTokens(const TokenList& spelled, TokenizerKind kind,
                               std::string_view continuation_prefix) {
  TokenList decoded;
  for (size_t i = 0; i < spelled.size(); ++i) {
    const DecodedToken token = Decode(spelled[i], kind, continuation_prefix);
    TG_TRY(decoded.Add(spelled[i].id, token.text, token.token_class));
  }
  TG_TRY(decoded.SortById());
  return decoded;
}

}  // namespace tensorguard::internal
