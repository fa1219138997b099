// tensorguard.compare/1, and what it shares with the other commands on models: merges, and what a
// quick answer rests on.
#ifndef TENSORGUARD_API_JSON_COMPARISON_JSON_H_
#define TENSORGUARD_API_JSON_COMPARISON_JSON_H_

#include <optional>
#include <string>
#include <vector>

#include "api/json/result_json.h"
#include "api/pair_comparison.h"
#include "api/paper/paper_pair.h"

namespace tensorguard::internal {

// `html`: the page that was written.
OrderedJson ComparedPairToJson(const ComparedPair& pair,
                               const std::optional<std::string>& html = {});
OrderedJson PaperComparedPairToJson(const PaperComparedPair& pair);

// What speaks for one of two models, named `a` and `b`, as the later one.
OrderedJson SignsToJson(const std::vector<DirectionSign>& signs, const std::string& a,
                        const std::string& b);

OrderedJson MergeToJson(const NamedMerge& merge);

// How sure a quick answer is, and what was read of each of `models`; null where everything was.
OrderedJson QuickToJson(const Comparison& comparison,
                        const std::vector<const Fingerprint*>& models);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_JSON_COMPARISON_JSON_H_
