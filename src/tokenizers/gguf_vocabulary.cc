#include "tokenizers/gguf_vocabulary.h"

#include <fmt/format.h>

namespace tensorguard {
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

Result<TokenizerKind> KindOf(const GgufMetadata& metadata) {
  const auto model = metadata.Text("tokenizer.ggml.model");
  if (model == "gpt2") return TokenizerKind::kByteLevelBpe;
  if (model == "llama") return TokenizerKind::kSentencePiece;
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = "tokenizer of a GGUF file is not read",
               .found = model ? *model : "no tokenizer.ggml.model",
               .expected = "gpt2 or llama"};
}

}  // namespace

Result<Vocabulary> VocabularyOfGguf(const GgufMetadata& metadata) {
  const auto* tokens = metadata.Texts(GgufMetadata::kTokens);
  if (tokens == nullptr || tokens->empty()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "no tokenizer in this file",
                 .expected = "the key tokenizer.ggml.tokens"};
  }
  const auto kind = KindOf(metadata);
  if (!kind) return kind.error();
  const auto* types = metadata.Numbers(GgufMetadata::kTokenTypes);
  if (types != nullptr && types->size() != tokens->size()) {
    return Error{.problem = "tokens and their types are not of one number",
                 .found = fmt::format("{} types", types->size()),
                 .expected = fmt::format("{}", tokens->size())};
  }
  TokenList spelled;
  for (size_t id = 0; id < tokens->size(); ++id) {
    const TokenClass token_class = types != nullptr                 ? ClassOf((*types)[id])
                                   : IsControlByName((*tokens)[id]) ? TokenClass::kSpecial
                                                                    : TokenClass::kText;
    auto added = spelled.Add(id, (*tokens)[id], token_class);
    if (!added) return std::move(added).error();
  }
  auto decoded = DecodeTokens(spelled, *kind);
  if (!decoded) return std::move(decoded).error();
  return Vocabulary{.kind = *kind, .tokens = *std::move(decoded), .file = {}};
}

}  // namespace tensorguard
