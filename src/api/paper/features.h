// Paper features of what arguments name: features files, folders of them, and models.
#ifndef TENSORGUARD_API_PAPER_FEATURES_H_
#define TENSORGUARD_API_PAPER_FEATURES_H_

#include <optional>
#include <string>
#include <vector>

#include "api/reading/gathering.h"
#include "api/session.h"
#include "paper/paper_features.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FeatureReading {
  std::optional<std::string> base = {};  // for arguments that are adapters
  unsigned threads = 0;                  // for models that must be fingerprinted first
};

// A features file is read; a model's weights are read and its features computed.
Result<PaperFeatures> FeaturesOf(const std::string& argument, const FeatureReading& reading,
                                 const Session& session);

using ManyFeatures = Gathering<PaperFeatures>;

// Errors: kCancelled.
Result<ManyFeatures> FeaturesOfAll(const std::vector<std::string>& arguments,
                                   const FeatureReading& reading, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_PAPER_FEATURES_H_
