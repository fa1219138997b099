// SentencePiece's model file (tokenizer.model, spiece.model): a protobuf message.
#ifndef TENSORGUARD_TOKENIZERS_FILES_SENTENCE_PIECE_H_
#define TENSORGUARD_TOKENIZERS_FILES_SENTENCE_PIECE_H_

#include <string_view>

#include "tensorguard/result.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

// Reads the pieces; a piece's id is its place. Errors: kBadFile, with the byte.
Result<Vocabulary> ParseSentencePiece(std::string_view file);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_SENTENCE_PIECE_H_
