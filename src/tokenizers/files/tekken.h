// tekken.json, Mistral's form of a byte-level vocabulary.
#ifndef TENSORGUARD_TOKENIZERS_FILES_TEKKEN_H_
#define TENSORGUARD_TOKENIZERS_FILES_TEKKEN_H_

#include <string_view>

#include "tensorguard/result.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

// A token's id is its rank behind the special tokens; ranks beyond the size that the file gives are
// not part of the model. Errors: kBadFile, with the byte.
Result<Vocabulary> ParseTekken(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_TEKKEN_H_
