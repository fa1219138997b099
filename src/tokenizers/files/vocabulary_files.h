// Vocabularies without their tokenizer: vocab.json and vocab.txt.
#ifndef TENSORGUARD_TOKENIZERS_FILES_VOCABULARY_FILES_H_
#define TENSORGUARD_TOKENIZERS_FILES_VOCABULARY_FILES_H_

#include <string_view>

#include "tensorguard/result.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

// {"token": id, ...}. The spelling is what most tokens show (KindBySpelling); control tokens are
// known by their names. Errors: kBadFile; kUnsupported if no token marks a space.
Result<Vocabulary> ParseVocabJson(std::string_view text);

// WordPiece: one token a line, its id the number of the line from 0. Errors: kBadFile.
Result<Vocabulary> ParseVocabTxt(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_VOCABULARY_FILES_H_
