#include "cli/models.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/sources.h"
#include "cli/usage.h"

namespace tensorguard::cli {

Result<void> CheckBase(const std::vector<std::string>& models,
                       const std::optional<std::string>& base) {
  // One that cannot be told is an error of its own when it is opened.
  const bool wanted = std::any_of(models.begin(), models.end(), [](const std::string& model) {
    const auto is_adapter = NamesAdapter(model);
    return !is_adapter || *is_adapter;
  });
  if (!base || wanted) return {};
  return UsageError("--base is given, but no model is an adapter", *base,
                    "an adapter folder, with adapter_config.json");
}

Result<Model> OpenWithBase(const std::string& model, const std::optional<std::string>& base) {
  if (IsFeaturesFile(model)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a features file holds no weights",
                 .file = model,
                 .expected = "a model: a weight file or a folder"};
  }
  if (IsFingerprintFile(model)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a fingerprint holds no weights",
                 .file = model,
                 .expected = "a model: a weight file or a folder"};
  }
  const auto is_adapter = NamesAdapter(model);
  if (!is_adapter) return is_adapter.error();
  OpenModelOptions options;
  if (base && *is_adapter) options.base = *base;
  return OpenModel(model, options);
}

bool IsFeaturesFile(const std::string& path) { return path.ends_with("_features.json"); }

std::string FailureCount(size_t failed, size_t all) {
  return fmt::format("{} of {} models could not be read (listed above)", failed, all);
}

}  // namespace tensorguard::cli
