// How tokenizers spell the text of a token, and the text itself.
#ifndef TENSORGUARD_TOKENIZERS_SPELLING_H_
#define TENSORGUARD_TOKENIZERS_SPELLING_H_

#include <optional>
#include <string>
#include <string_view>

#include "tokenizers/token_list.h"

namespace tensorguard::internal {

enum class TokenizerKind {
  kByteLevelBpe,   // bytes as printable characters: "Ġthe"
  kSentencePiece,  // a space as U+2581: "▁the"; single bytes as "<0x0A>"
  kWordPiece,      // what goes on a word is marked: "the", "##ing"
};

// "byte-level BPE", "SentencePiece" or "WordPiece".
std::string_view TokenizerKindName(TokenizerKind kind);

// The sign that SentencePiece writes for a space.
inline constexpr std::string_view kSentencePieceSpace = "\u2581";

// Each gives the text with a leading space where a word starts.
// Byte-level: a spelling with a character that stands for no byte is taken as it is.
std::string DecodeByteLevel(std::string_view spelled);
std::string DecodeSentencePiece(std::string_view spelled);
std::string DecodeWordPiece(std::string_view spelled, std::string_view continuation_prefix = "##");

// The byte that "<0x0A>" stands for, if it is such a spelling.
std::optional<char> SentencePieceByte(std::string_view spelled);

// "[CLS]", "[unused12]": how WordPiece vocabularies name their control tokens.
bool IsWordPieceControl(std::string_view spelled);

// "<|endoftext|>", "<s>", "<pad>" and their like: control tokens by name, where a file does not
// tell them apart.
bool IsControlByName(std::string_view spelled);

// Which of the two spellings a vocabulary uses that does not declare it: how more of its tokens
// mark a space in front. Empty if none does.
std::optional<TokenizerKind> KindBySpelling(const TokenList& spelled);

// Every token in its decoded form, in the order of the ids. Special tokens and literal ones are as
// they are, but that SentencePiece's space is one in literal tokens too (Gemma adds "▁▁"); what is
// named like a control token of WordPiece becomes special. Errors: as TokenList.
Result<TokenList> DecodeTokens(const TokenList& spelled, TokenizerKind kind,
                               std::string_view continuation_prefix = "##");

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_SPELLING_H_
