// A tokenizer.json with its strings or ids changed.
#ifndef TENSORGUARD_TRANSFORM_CHANGES_TOKENIZER_EDIT_H_
#define TENSORGUARD_TRANSFORM_CHANGES_TOKENIZER_EDIT_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "tensorguard/result.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

// A tokenizer whose tokens can be spelled and numbered anew: "model" with a "vocab" that is an
// object of ids (BPE, WordPiece).
class TokenizerEdit {
 public:
  // Errors: kUnsupported where the model has no tokenizer.json of that kind; those of ReadJsonFile.
  static Result<TokenizerEdit> Open(const Decoder& model);

  // Ids of tokens that are no special ones, ascending.
  std::vector<uint32_t> PlainIds() const;

  // Every plain token spelled by other letters, merges too. `letter` must give different letters
  // for different ones.
  void Respell(const std::function<char32_t(char32_t)>& letter);

  // Ids of plain tokens. REQUIRES: `id` gives different ids for different ones.
  void Renumber(const std::function<uint32_t(uint32_t)>& id);

  // Plain tokens once more, spelled by other letters, each with an id that is higher by `offset`.
  void AddRespelled(const std::function<char32_t(char32_t)>& letter, uint32_t offset);

  std::string Text() const { return json_.dump(); }

 private:
  explicit TokenizerEdit(Json json);

  bool IsSpecial(const std::string& token) const { return special_.contains(token); }
  Json RespelledMerges(const std::function<char32_t(char32_t)>& letter) const;

  Json json_;
  std::set<std::string> special_;  // added tokens
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_CHANGES_TOKENIZER_EDIT_H_
