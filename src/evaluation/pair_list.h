// Pairs of published models with what is known of them.
#ifndef TENSORGUARD_EVALUATION_PAIR_LIST_H_
#define TENSORGUARD_EVALUATION_PAIR_LIST_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct ListedPair {
  std::string a = {};  // as models are named: "hf://ORG/NAME@REVISION", a path beside the list
  std::string b = {};
  bool derived = false;     // the weights of one come from the other's; else from nothing common
  std::string kind = {};    // "fine-tuning", "same recipe", ...
  std::string source = {};  // who says so
};

// Whether a file for `evaluate` is a list of pairs, and not one of models: an object with "pairs".
bool IsPairList(const Json& json);

// {"schema": "tensorguard.pairs/1", "pairs": [{"a", "b", "relation", "kind", "source"}]}, relation
// "derived" or "independent"; other fields are not looked at. Errors: kBadFile, naming the pair:
// not of this form, a pair of one model, a pair twice.
Result<std::vector<ListedPair>> ReadPairList(const Json& json);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_EVALUATION_PAIR_LIST_H_
