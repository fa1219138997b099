// Models as arguments name them, with one base for those that are adapters.
#ifndef TENSORGUARD_API_MODELS_H_
#define TENSORGUARD_API_MODELS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/session.h"
#include "model/model.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Refuses a base that none of the models would use.
Result<void> CheckBase(const std::vector<std::string>& models,
                       const std::optional<std::string>& base, const Session& session);

// Opens one of several models: `base` is used if it is an adapter. Reading its weights ends with
// kCancelled once the listener, which must outlive the model, says so.
Result<Model> OpenWithBase(const std::string& model, const std::optional<std::string>& base,
                           const Session& session);

inline constexpr std::string_view kFeaturesSuffix = "_features.json";

// A features file: named NAME_features.json.
bool IsFeaturesFile(const std::string& path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_MODELS_H_
