#include "tokenizers/files/gguf_vocabulary.h"

#include <fmt/format.h>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

// As the format numbers the types of tokens.
constexpr double kNormal = 1;
constexpr double kUserDefined = 4;
constexpr double kByte = 6;

// Unknown, control and unused tokens stand for no text. Bytes are known by their spelling.
TokenClass ClassOf(double type) {
  if (type == kNormal || type == kByte) return TokenClass::kText;
  return type == kUserDefined ? TokenClass::kLiteral : TokenClass::kSpecial;
}

struct KindRow {
  std::string_view model;  // tokenizer.ggml.model
  TokenizerKind kind;
  TokenizerKind spelling;
};

// WordPiece's tokens are respelled: SentencePiece's space where a word starts, no mark elsewhere.
constexpr KindRow kKinds[] = {
    {"gpt2", TokenizerKind::kByteLevelBpe, TokenizerKind::kByteLevelBpe},
    {"llama", TokenizerKind::kSentencePiece, TokenizerKind::kSentencePiece},
    {"t5", TokenizerKind::kSentencePiece, TokenizerKind::kSentencePiece},
    {"bert", TokenizerKind::kWordPiece, TokenizerKind::kSentencePiece},
};

Result<KindRow> KindOf(const GgufMetadata& metadata) {
  const auto model = metadata.Text("tokenizer.ggml.model");
  for (const KindRow& row : kKinds) {
    if (model == row.model) return row;
  }
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "tokenizer of a GGUF file is not read",
               .found = model ? *model : "no tokenizer.ggml.model",
               .expected = "gpt2, llama, t5 or bert"};
}

// "[CLS]" and "[unused12]" are control tokens of WordPiece whatever their type says.
bool IsRespelledControl(std::string_view token) {
  if (token.starts_with(kSentencePieceSpace)) token.remove_prefix(kSentencePieceSpace.size());
  return IsWordPieceControl(token);
}

}  // namespace

Result<Vocabulary> VocabularyOfGguf(const GgufMetadata& metadata) {
  const auto* tokens = metadata.Texts(GgufMetadata::kTokens);
  if (tokens == nullptr || tokens->empty()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "no tokenizer in this file",
                 .expected = "the key tokenizer.ggml.tokens"};
  }
  TG_ASSIGN(const auto kind, KindOf(metadata));
  const auto* types = metadata.Numbers(GgufMetadata::kTokenTypes);
  if (types != nullptr && types->size() != tokens->size()) {
    return Error{.problem = "tokens and their types are not of one number",
                 .found = fmt::format("{} types", types->size()),
                 .expected = fmt::format("{}", tokens->size())};
  }
  TokenList spelled;
  for (size_t id = 0; id < tokens->size(); ++id) {
    const std::string_view token = (*tokens)[id];
    TokenClass token_class = IsControlByName(token) ? TokenClass::kSpecial : TokenClass::kText;
    if (types != nullptr) token_class = ClassOf((*types)[id]);
    if (kind.kind == TokenizerKind::kWordPiece && IsRespelledControl(token)) {
      token_class = TokenClass::kSpecial;
    }
    TG_TRY(spelled.Add(id, token, token_class));
  }
  TG_ASSIGN(auto decoded, DecodeTokens(spelled, kind.spelling));
  return Vocabulary{.kind = kind.kind, .tokens = std::move(decoded), .file = {}};
}

}  // namespace tensorguard::internal
