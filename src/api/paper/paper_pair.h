// Two models compared by the paper profile.
#ifndef TENSORGUARD_API_PAPER_PAPER_PAIR_H_
#define TENSORGUARD_API_PAPER_PAPER_PAIR_H_

#include <optional>
#include <string>
#include <vector>

#include "api/reading/gathering.h"
#include "api/session.h"
#include "paper/paper_comparison.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct PaperPairRequest {
  std::string first;
  std::string second;
  std::optional<std::string> base = {};  // of those of the two that are adapters
  std::vector<std::string> known = {};   // the population that a distance is measured in
  MissingFeature missing = MissingFeature::kRefuse;
  unsigned threads = 0;  // 0: one per processor
};

struct PaperComparedPair {
  std::string first;  // names
  std::string second;
  PaperComparison comparison;
  Shortfall shortfall = {};  // of the known models
};

// Errors: those of CheckBase, FeaturesOf, BuildFeatureMatrix and ComparePaperFeatures.
Result<PaperComparedPair> ComparePairByPaper(const PaperPairRequest& request,
                                             const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_PAPER_PAPER_PAIR_H_
