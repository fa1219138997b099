// Paper features of what arguments name: features files, folders of them, and models.
#ifndef TENSORGUARD_CLI_MODELS_FEATURES_H_
#define TENSORGUARD_CLI_MODELS_FEATURES_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/models/gathering.h"
#include "cli/output/console.h"
#include "paper/paper_features.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

struct FeatureReading {
  std::optional<std::string> base = {};  // for arguments that are adapters
  unsigned threads = 0;                  // for models that must be fingerprinted first
};

// A features file is read; a model's weights are read and its features computed.
Result<PaperFeatures> FeaturesOf(const std::string& argument, const FeatureReading& reading,
                                 Console& console);

using ManyFeatures = Gathering<PaperFeatures>;

ManyFeatures FeaturesOfAll(const std::vector<std::string>& arguments, const FeatureReading& reading,
                           Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_MODELS_FEATURES_H_
