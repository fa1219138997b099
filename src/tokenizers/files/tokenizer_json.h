// tokenizer.json, as the tokenizers library writes it.
#ifndef TENSORGUARD_TOKENIZERS_FILES_TOKENIZER_JSON_H_
#define TENSORGUARD_TOKENIZERS_FILES_TOKENIZER_JSON_H_

#include <string_view>

#include "tensorguard/result.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

// BPE, Unigram and WordPiece models with their added tokens. Errors: kBadFile; kUnsupported for
// another model, or one whose spelling is neither declared nor plain to see.
Result<Vocabulary> ParseTokenizerJson(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_TOKENIZER_JSON_H_
