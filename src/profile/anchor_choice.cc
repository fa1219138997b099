#include "profile/anchor_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "anchors/anchor_list.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::internal {
namespace {

// Words are shaped most by training; pieces are what small vocabularies have in common with large
// ones.
constexpr size_t kWordShare = 96;

ChosenAnchors RowsBecause(uint64_t vocabulary_size, std::string reason) {
  ChosenAnchors chosen = ChooseRowAnchors(vocabulary_size);
  chosen.notes.push_back(
      fmt::format("{}: anchors are rows of the embedding, which compare only with models of the "
                  "same vocabulary",
                  reason));
  return chosen;
}

}  // namespace

ChosenAnchors ChooseTokenAnchors(std::span<const AnchorToken> held, uint64_t vocabulary_size) {
  std::vector<AnchorToken> words;
  std::vector<AnchorToken> pieces;
  for (const AnchorToken& anchor : held) {
    if (anchor.token_id >= vocabulary_size) continue;
    (anchor.anchor < kWordAnchors ? words : pieces).push_back(anchor);
  }
  const size_t piece_count =
      std::min(pieces.size(), kMostAnchors - std::min(words.size(), kWordShare));
  const size_t word_count = std::min(words.size(), kMostAnchors - piece_count);
  ChosenAnchors chosen;
  for (size_t i = 0; i < word_count + piece_count; ++i) {
    const AnchorToken& anchor = i < word_count ? words[i] : pieces[i - word_count];
    chosen.anchors.push_back(anchor.anchor);
    chosen.tokens.push_back(anchor.token_id);
  }
  return chosen;
}

ChosenAnchors ChooseRowAnchors(uint64_t vocabulary_size) {
  const uint64_t count = std::min<uint64_t>(vocabulary_size, kMostAnchors);
  ChosenAnchors chosen = {.kind = AnchorKind::kRows};
  for (uint64_t i = 0; i < count; ++i) {
    // The middle of the i-th of `count` equal parts. Ids are 32-bit and tables are smaller.
    const uint64_t row = (2 * i + 1) * vocabulary_size / (2 * count);
    chosen.anchors.push_back(static_cast<uint32_t>(row));
  }
  chosen.tokens = chosen.anchors;
  return chosen;
}

Result<ChosenAnchors> ChooseAnchors(const Model& model, uint64_t vocabulary_size) {
  if (vocabulary_size == 0) {
    return ChosenAnchors{.kind = AnchorKind::kRows,
                         .anchors = {},
                         .tokens = {},
                         .notes = {"no token embedding: layers are not asked about tokens, weights "
                                   "and forms are compared"}};
  }
  const auto vocabulary = ReadVocabulary(model.tokenizer_folder, *model.files);
  if (!vocabulary) {
    const ErrorKind kind = vocabulary.error().kind;
    if (kind == ErrorKind::kSystem || kind == ErrorKind::kCancelled) return vocabulary.error();
    const bool absent = vocabulary.error().kind == ErrorKind::kNotFound;
    return RowsBecause(vocabulary_size, absent ? "no tokenizer"
                                               : "the tokenizer cannot be read (" +
                                                     vocabulary.error().problem + ")");
  }
  ChosenAnchors chosen = ChooseTokenAnchors(FindAnchors(*vocabulary), vocabulary_size);
  if (chosen.anchors.size() >= kFewestTokenAnchors) return chosen;
  return RowsBecause(vocabulary_size, fmt::format("the tokenizer holds only {} of the anchors",
                                                  chosen.anchors.size()));
}

}  // namespace tensorguard::internal
