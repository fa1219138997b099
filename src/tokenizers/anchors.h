// Which anchors a vocabulary holds as one token.
#ifndef TENSORGUARD_TOKENIZERS_ANCHORS_H_
#define TENSORGUARD_TOKENIZERS_ANCHORS_H_

#include <cstdint>
#include <vector>

#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {

struct AnchorToken {
  uint32_t anchor = 0;    // index in AnchorList(); below kWordAnchors a word, else a piece
  uint32_t token_id = 0;  // may lie beyond the embedding of a model whose tokenizer is another's
};

// In the order of AnchorList(). A string that several tokens stand for has the lowest of their ids;
// special tokens are no anchors, nor are SentencePiece's byte tokens: a text uses them only where
// no other token fits, so training has hardly seen them.
std::vector<AnchorToken> FindAnchors(const Vocabulary& vocabulary);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TOKENIZERS_ANCHORS_H_
