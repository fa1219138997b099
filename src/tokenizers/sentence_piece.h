// SentencePiece's model file (tokenizer.model, spiece.model): a protobuf message.
#ifndef TENSORGUARD_TOKENIZERS_SENTENCE_PIECE_H_
#define TENSORGUARD_TOKENIZERS_SENTENCE_PIECE_H_

#include <string_view>

#include "base/result.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard {

// Reads the pieces; a piece's id is its place. Errors: kBadFile, with the byte.
Result<Vocabulary> ParseSentencePiece(std::string_view file);

}  // namespace tensorguard

#endif  // TENSORGUARD_TOKENIZERS_SENTENCE_PIECE_H_
