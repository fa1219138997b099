// A list of pairs of published models, held against what is known of them.
#ifndef TENSORGUARD_API_EVALUATION_PAIR_EVALUATION_H_
#define TENSORGUARD_API_EVALUATION_PAIR_EVALUATION_H_

#include <vector>

#include "api/evaluation/evaluation_report.h"
#include "api/session.h"
#include "evaluation/pair_list.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Compares the pairs of `request.truth`, a list of pairs, one after the other, each model read
// once. With `request.keep` answers and whole fingerprints are kept in that folder, and what is
// there is not asked for again: what was interrupted goes on. A model that cannot be read is
// reported, and its pairs have no answer; they are asked for again the next time. Errors:
// kUsage for another profile than the full; those of ReadPairList and KeptAnswers; kCancelled.
Result<EvaluationReport> EvaluatePairs(const EvaluationRequest& request,
                                       const std::vector<ListedPair>& pairs,
                                       const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_EVALUATION_PAIR_EVALUATION_H_
