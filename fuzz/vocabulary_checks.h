// What holds of every vocabulary, whatever the input.
#ifndef TENSORGUARD_FUZZ_VOCABULARY_CHECKS_H_
#define TENSORGUARD_FUZZ_VOCABULARY_CHECKS_H_

#include <cstddef>
#include <vector>

#include "anchors/anchor_list.h"
#include "fuzz/refusal_checks.h"
#include "tokenizers/anchors.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

inline void CheckVocabulary(const Vocabulary& vocabulary, size_t input_bytes) {
  size_t text_bytes = 0;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    const Token token = vocabulary.tokens[i];
    Require(i == 0 || vocabulary.tokens[i - 1].id < token.id);
    Require(token.id <= kHighestTokenId);
    text_bytes += token.text.size();
  }
  // A token takes two bytes of input at least, and gains at most a space by decoding.
  Require(vocabulary.tokens.size() <= input_bytes && text_bytes <= 2 * input_bytes);

  const std::vector<AnchorToken> anchors = FindAnchors(vocabulary);
  for (size_t i = 0; i < anchors.size(); ++i) {
    Require(i == 0 || anchors[i - 1].anchor < anchors[i].anchor);
    Require(anchors[i].anchor < AnchorList().size());
  }
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FUZZ_VOCABULARY_CHECKS_H_
