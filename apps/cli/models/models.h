// Models as arguments name them, with one base for those that are adapters.
#ifndef TENSORGUARD_CLI_MODELS_MODELS_H_
#define TENSORGUARD_CLI_MODELS_MODELS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "tensorguard/result.h"

namespace tensorguard::internal::cli {

// Refuses a base that no model of the command would use.
Result<void> CheckBase(const std::vector<std::string>& models,
                       const std::optional<std::string>& base);

// Opens one of several models: `base` is used if it is an adapter.
Result<Model> OpenWithBase(const std::string& model, const std::optional<std::string>& base);

inline constexpr std::string_view kFeaturesSuffix = "_features.json";

// A features file: named NAME_features.json.
bool IsFeaturesFile(const std::string& path);

// "1 of 3 models could not be read (listed above)".
std::string FailureCount(size_t failed, size_t all);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_MODELS_MODELS_H_
