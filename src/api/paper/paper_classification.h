// The nearest known family of a model by the paper profile, or none.
#ifndef TENSORGUARD_API_PAPER_PAPER_CLASSIFICATION_H_
#define TENSORGUARD_API_PAPER_PAPER_CLASSIFICATION_H_

#include <optional>
#include <string>
#include <vector>

#include "api/reading/gathering.h"
#include "api/session.h"
#include "paper/classify.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct PaperClassificationRequest {
  std::string model;
  std::optional<std::string> base = {};   // where the model is an adapter
  std::vector<std::string> known = {};    // features files, folders of them, models
  std::vector<std::string> centers = {};  // base models of the families; none: each known model
  MissingFeature missing = MissingFeature::kRefuse;
  unsigned threads = 0;  // 0: one per processor
};

struct PaperClassifiedModel {
  std::string name;
  Classification result;
  Shortfall shortfall = {};  // of the known models
};

// Errors: those of CheckBase, FeaturesOf and Classify.
Result<PaperClassifiedModel> ClassifyModelByPaper(const PaperClassificationRequest& request,
                                                  const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_PAPER_PAPER_CLASSIFICATION_H_
