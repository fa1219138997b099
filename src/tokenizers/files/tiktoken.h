// tiktoken's rank files: one token a line, "BASE64 RANK".
#ifndef TENSORGUARD_TOKENIZERS_FILES_TIKTOKEN_H_
#define TENSORGUARD_TOKENIZERS_FILES_TIKTOKEN_H_

#include <string_view>

#include "tensorguard/result.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

// True if `bytes` start as such a file must and a protobuf message of SentencePiece cannot.
bool LooksLikeTiktoken(std::string_view bytes);

// A token's id is its rank; special tokens are not in the file. Errors: kBadFile, with the byte.
Result<Vocabulary> ParseTiktoken(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_TIKTOKEN_H_
