// Changes of the vocabulary and its rows.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/try.h"
#include "profile/anchor_choice.h"
#include "transform/change.h"
#include "transform/changes/fold_gains.h"
#include "transform/changes/seeded_draws.h"
#include "transform/changes/tokenizer_edit.h"
#include "transform/decoder_model.h"
#include "transform/decoder_parts.h"

namespace tensorguard::internal {
namespace {

// Plane 15 of Unicode is for private use; letters of the first plane have their like there.
char32_t PrivateLetter(char32_t letter) {
  return letter < 0x10000 ? U'\U000F0000' + letter : letter;
}

// Letters of the two cases, and digits, for one another.
std::map<char32_t, char32_t> ExchangedLetters(SeededDraws& draws) {
  std::map<char32_t, char32_t> exchanged;
  for (const auto& [first, count] : {std::pair(U'a', 26u), {U'A', 26u}, {U'0', 10u}}) {
    const arma::uvec order = draws.Order(count);
    for (uint32_t i = 0; i < count; ++i) {
      exchanged[first + i] = first + static_cast<char32_t>(order[i]);
    }
  }
  return exchanged;
}

Result<void> SpellPrivately(const ChangeInput& input) {
  TG_ASSIGN(auto tokenizer, TokenizerEdit::Open(input.model));
  SeededDraws draws(input.seed);
  if (input.strength < 2) {
    tokenizer.Respell(PrivateLetter);
  } else {
    const auto exchanged = ExchangedLetters(draws);
    tokenizer.Respell([&](char32_t letter) {
      const auto found = exchanged.find(letter);
      return found == exchanged.end() ? letter : found->second;
    });
  }
  input.model.tokenizer.changed_json = tokenizer.Text();
  return {};
}

void TakeTokenRows(Decoder& model, const arma::uvec& from) {
  model.embedding = model.embedding.rows(from);
  if (!model.tied()) model.head = model.head.rows(from);
}

Result<void> PermuteVocabulary(const ChangeInput& input) {
  Decoder& model = input.model;
  TG_ASSIGN(auto tokenizer, TokenizerEdit::Open(model));
  SeededDraws draws(input.seed);
  const std::vector<uint32_t> ids = tokenizer.PlainIds();
  const arma::uvec order = draws.Order(ids.size());
  std::vector<uint32_t> moved(model.vocabulary());
  for (uint32_t id = 0; id < moved.size(); ++id) moved[id] = id;
  arma::uvec from = arma::regspace<arma::uvec>(0, model.vocabulary() - 1);
  for (size_t i = 0; i < ids.size(); ++i) {
    moved[ids[i]] = ids[order[i]];
    from[ids[order[i]]] = ids[i];
  }
  tokenizer.Renumber([&](uint32_t id) { return moved[id]; });
  TakeTokenRows(model, from);
  for (uint32_t& row : model.row_of_token) row = moved[row];
  model.tokenizer.changed_json = tokenizer.Text();
  return {};
}

arma::fmat RandomRows(const arma::fmat& like, uint64_t rows, SeededDraws& draws) {
  return draws.Normals(rows, like.n_cols, RootMeanSquare(like));
}

// The old strings get decoys, the real rows go on under new strings.
Result<void> AddDecoyRows(const ChangeInput& input) {
  Decoder& model = input.model;
  TG_ASSIGN(auto tokenizer, TokenizerEdit::Open(model));
  SeededDraws draws(input.seed);
  const auto rows = static_cast<uint32_t>(model.vocabulary());
  tokenizer.AddRespelled(PrivateLetter, rows);
  const arma::uvec order = draws.Order(rows);
  const auto decoys = [&](const arma::fmat& table) -> arma::fmat {
    return input.strength < 2 ? RandomRows(table, rows, draws) : arma::fmat(table.rows(order));
  };
  model.embedding = arma::join_cols(decoys(model.embedding), model.embedding);
  if (!model.tied()) model.head = arma::join_cols(decoys(model.head), model.head);
  for (uint32_t& row : model.row_of_token) row += rows;
  model.tokenizer.changed_json = tokenizer.Text();
  return {};
}

// Random rows without another model, else its rows with its tokenizer.
Result<void> ReplaceEmbedding(const ChangeInput& input) {
  Decoder& model = input.model;
  SeededDraws draws(input.seed);
  const bool tied = model.tied();
  if (input.other == nullptr) {
    model.embedding = RandomRows(model.embedding, model.vocabulary(), draws);
    if (!tied) model.head = RandomRows(model.head, model.vocabulary(), draws);
    return {};
  }
  if (input.other->hidden() != model.hidden()) {
    return DoesNotFit("a residual stream of " + std::to_string(input.other->hidden()),
                      "one of " + std::to_string(model.hidden()) + ", as in the first model",
                      "give a second model of that width");
  }
  model.embedding = input.other->embedding;
  if (!tied) model.head = input.other->tied() ? input.other->embedding : input.other->head;
  model.tokenizer = input.other->tokenizer;
  model.row_of_token.clear();
  return {};
}

void RandomiseTheseRows(Decoder& model, const arma::uvec& rows, SeededDraws& draws) {
  model.embedding.rows(rows) = RandomRows(model.embedding, rows.n_elem, draws);
  if (!model.tied()) model.head.rows(rows) = RandomRows(model.head, rows.n_elem, draws);
}

Result<void> RandomiseRows(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  const uint64_t count = ShareOf(input.strength, input.model.vocabulary());
  RandomiseTheseRows(input.model, draws.Choice(count, input.model.vocabulary()), draws);
  return {};
}

// The rows at which the fingerprint asks.
Result<arma::uvec> AnchorRows(const Decoder& model) {
  TG_ASSIGN(const auto anchors,
            ChooseAnchors(ModelInMemory(model, Precision::kFloat32), model.vocabulary()));
  return arma::uvec(arma::unique(arma::conv_to<arma::uvec>::from(anchors.tokens)));
}

Result<void> RandomiseAnchorRows(const ChangeInput& input) {
  SeededDraws draws(input.seed);
  TG_ASSIGN(const arma::uvec anchors, AnchorRows(input.model));
  const arma::uvec chosen = draws.Choice(ShareOf(input.strength, anchors.n_elem), anchors.n_elem);
  RandomiseTheseRows(input.model, anchors.elem(chosen), draws);
  return {};
}

Result<void> ExchangeAnchorRows(const ChangeInput& input) {
  Decoder& model = input.model;
  SeededDraws draws(input.seed);
  TG_ASSIGN(const arma::uvec anchors, AnchorRows(model));
  const arma::uvec order = anchors.elem(draws.Order(anchors.n_elem));
  arma::uvec from = arma::regspace<arma::uvec>(0, model.vocabulary() - 1);
  from.elem(anchors) = order;
  TakeTokenRows(model, from);
  return {};
}

}  // namespace

std::vector<Change> TokenChanges() {
  return {
      {.name = "private-tokenizer",
       .text = "the strings of tokenizer.json in a private spelling; the program that runs the "
               "copy must spell its texts so",
       .strength = "1: letters for private use; 2: letters exchanged for one another",
       .strengths = {1, 2},
       .least = 1,
       .most = 2,
       .source = "own: against anchors found by their strings",
       .apply = SpellPrivately},
      {.name = "permute-vocabulary",
       .text = "tokens under other numbers, with their rows",
       .source = "own: against rows compared by their number",
       .apply = PermuteVocabulary},
      {.name = "decoy-rows",
       .text = "decoys under the old strings, the real rows under new ones; whoever runs the copy "
               "leaves the decoys out",
       .strength = "1: random decoys; 2: other tokens' rows",
       .strengths = {1, 2},
       .least = 1,
       .most = 2,
       .source = "own: against anchors found by their strings",
       .apply = AddDecoyRows},
      {.name = "randomise-rows",
       .text = "random rows in the embedding and the head",
       .strength = "share of the rows",
       .strengths = {0.2, 0.8},
       .least = 0.001,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "own: against tables compared at a few rows",
       .apply = RandomiseRows},
      {.name = "random-anchor-rows",
       .text = "random rows at the tokens at which fingerprints ask",
       .strength = "share of those rows",
       .strengths = {1},
       .least = 0.001,
       .most = 1,
       .keeps = Keeps::kLittle,
       .source = "own: against kernels on public anchors",
       .apply = RandomiseAnchorRows},
      {.name = "exchange-anchor-rows",
       .text = "rows exchanged among the tokens at which fingerprints ask",
       .keeps = Keeps::kLittle,
       .source = "own: against kernels on public anchors",
       .apply = ExchangeAnchorRows},
      {.name = "replace-embedding",
       .text = "a random embedding and head; with a second model, its embedding and tokenizer",
       .keeps = Keeps::kLittle,
       .second = SecondModel::kUsedIfGiven,
       .source = "Artetxe et al. 2020, On the Cross-lingual Transferability of Monolingual "
                 "Representations",
       .apply = ReplaceEmbedding},
  };
}

}  // namespace tensorguard::internal
