// The vocabulary of a model: which text each token id stands for.
#ifndef TENSORGUARD_TOKENIZERS_VOCABULARY_H_
#define TENSORGUARD_TOKENIZERS_VOCABULARY_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/file_store.h"
#include "tensorguard/result.h"
#include "tokenizers/spelling.h"
#include "tokenizers/token_list.h"

namespace tensorguard::internal {

struct Vocabulary {
  TokenizerKind kind = TokenizerKind::kByteLevelBpe;
  // In the order of the ids, each id once, not empty. Texts are decoded: a leading space where a
  // word starts, whatever the tokenizer's spelling. Strings may occur twice.
  TokenList tokens;
  std::string file;  // path of what it was read from
};

// The file that ReadVocabulary would read, if `folder` holds one. Errors: those of `files`.
Result<std::optional<std::filesystem::path>> FindTokenizerFile(
    const std::filesystem::path& folder, const FileStore& files = *LocalFiles());

// Reads the first of these that the folder holds: tokenizer.json, tokenizer.model, spiece.model,
// spm.model, the only *.tiktoken, tiktoken.model, vocab.json, vocab.txt, tekken.json. Where
// `folder` is a file, it is a GGUF file that holds the vocabulary itself. Errors: kNotFound if it
// holds none, kBadFile, kUnsupported (a kind of tokenizer that is not read).
Result<Vocabulary> ReadVocabulary(const std::filesystem::path& folder,
                                  const FileStore& files = *LocalFiles());

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_VOCABULARY_H_
