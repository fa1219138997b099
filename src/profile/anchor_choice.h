// Which tokens of a model its kernels are taken at.
#ifndef TENSORGUARD_PROFILE_ANCHOR_CHOICE_H_
#define TENSORGUARD_PROFILE_ANCHOR_CHOICE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "model/model.h"
#include "tokenizers/anchors.h"

namespace tensorguard::internal {

struct ChosenAnchors {
  AnchorKind kind = AnchorKind::kTokens;
  std::vector<uint32_t> anchors = {};  // as Fingerprint::anchors
  std::vector<uint32_t> tokens = {};   // parallel: rows of the embedding
  std::vector<std::string> notes = {};
};

// Fewer token anchors than this say too little; the rows of the embedding are taken instead.
inline constexpr size_t kFewestTokenAnchors = 16;

// Up to 96 words and 32 pieces of the list, each from its start; what one of the two lacks the
// other fills up. So a vocabulary of any size shares with any other what both can hold.
// `vocabulary_size`: rows of the embedding; anchors whose token lies beyond them are left out.
ChosenAnchors ChooseTokenAnchors(std::span<const AnchorToken> held, uint64_t vocabulary_size);

// At most kMostAnchors rows in equal steps, by the size alone. REQUIRES: vocabulary_size > 0.
ChosenAnchors ChooseRowAnchors(uint64_t vocabulary_size);

// Token anchors where the model has a tokenizer that holds enough of them, else rows, with a note
// that says why. Errors: kSystem, kCancelled where it is there and cannot be read now: the answer
// would be another tomorrow.
Result<ChosenAnchors> ChooseAnchors(const Model& model, uint64_t vocabulary_size);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PROFILE_ANCHOR_CHOICE_H_
