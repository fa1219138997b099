// The vocabulary in a GGUF file's metadata.
#ifndef TENSORGUARD_TOKENIZERS_FILES_GGUF_VOCABULARY_H_
#define TENSORGUARD_TOKENIZERS_FILES_GGUF_VOCABULARY_H_

#include "formats/gguf/gguf_metadata.h"
#include "tensorguard/result.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

// Tokens in the order of their ids, with tokenizer.ggml.token_type where it is there. Errors:
// kNotFound without tokens, kUnsupported for a tokenizer.ggml.model other than gpt2 (byte-level
// BPE), llama and t5 (SentencePiece) and bert (WordPiece), kBadFile.
Result<Vocabulary> VocabularyOfGguf(const GgufMetadata& metadata);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_FILES_GGUF_VOCABULARY_H_
