#include "tokenizers/files/sentence_piece.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "base/try.h"
#include "formats/onnx/protobuf.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kPiecesField = 1;  // of the model: repeated message
constexpr uint64_t kTextField = 1;    // of a piece
constexpr uint64_t kTypeField = 3;    // of a piece

// Types of pieces, as the file numbers them.
enum PieceType : uint64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct Piece {
  std::optional<std::string> text;
  uint64_t type = kNormal;
};

Error WrongField(uint64_t offset, std::string_view what, std::string_view expected) {
  return {.problem = fmt::format("{} is not stored as it should be", what),
          .byte_offset = offset,
          .expected = std::string(expected)};
}

Result<Piece> ParsePiece(ProtobufBytes& bytes, const ProtobufField& message) {
  Piece piece;
  ProtobufReader reader(bytes, message);
  while (!reader.AtEnd()) {
    TG_ASSIGN(const auto field, reader.Next());
    if (field.number == kTextField) {
      if (field.type != ProtobufType::kBytes || piece.text) {
        return WrongField(field.begin_bytes, "the text of a piece", "one string");
      }
      TG_ASSIGN(auto text, bytes.Text(field, field.length_bytes()));
      piece.text = std::move(text);
    } else if (field.number == kTypeField) {
      if (field.type != ProtobufType::kVarint || field.number_value < kNormal ||
          field.number_value > kByte) {
        return WrongField(field.begin_bytes, "the type of a piece", "a number from 1 to 6");
      }
      piece.type = field.number_value;
    }
  }
  if (!piece.text) return WrongField(message.begin_bytes, "a piece", "a text");
  return piece;
}

Result<void> AddPiece(const Piece& piece, const ProtobufField& message, TokenList& tokens) {
  const uint64_t id = tokens.size();
  switch (piece.type) {
    case kUnknown:
    case kControl:
    case kUnused:
      return tokens.Add(id, *piece.text, TokenClass::kSpecial);
    case kByte: {
      const auto byte = SentencePieceByte(*piece.text);
      if (!byte) return WrongField(message.begin_bytes, "a byte piece", "a text such as <0x0A>");
      return tokens.Add(id, std::string_view(&*byte, 1), TokenClass::kByte);
    }
    default:
      return tokens.Add(id, DecodeSentencePiece(*piece.text));
  }
}

}  // namespace

Result<Vocabulary> ParseSentencePiece(std::string_view file) {
  Vocabulary vocabulary = {.kind = TokenizerKind::kSentencePiece, .tokens = {}, .file = {}};
  ProtobufBytes bytes(SourceOf(file));
  ProtobufReader reader(bytes, 0, file.size());
  while (!reader.AtEnd()) {
    TG_ASSIGN(const auto field, reader.Next());
    if (field.number != kPiecesField) continue;
    if (field.type != ProtobufType::kBytes) {
      return WrongField(field.begin_bytes, "a piece", "a message");
    }
    TG_ASSIGN(const auto piece, ParsePiece(bytes, field));
    TG_TRY(AddPiece(piece, field, vocabulary.tokens));
  }
  return vocabulary;
}

}  // namespace tensorguard::internal
