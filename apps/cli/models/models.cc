#include "cli/models/models.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/arguments/usage.h"
#include "cli/models/model_places.h"
#include "cli/models/sources.h"
#include "model/found_model.h"

namespace tensorguard::internal::cli {

namespace {

Result<bool> IsAdapter(const std::string& model) {
  const auto places = ProgramPlaces();
  if (!places) return places.error();
  const auto path = (*places)->Locate(model);
  if (!path) return path.error();
  return NamesAdapter(*path, **places);
}

}  // namespace

Result<void> CheckBase(const std::vector<std::string>& models,
                       const std::optional<std::string>& base) {
  if (!base) return {};
  // One that cannot be told is an error of its own when it is opened.
  const bool wanted = std::any_of(models.begin(), models.end(), [](const std::string& model) {
    const auto is_adapter = IsAdapter(model);
    return !is_adapter || *is_adapter;
  });
  if (wanted) return {};
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
  const auto places = ProgramPlaces();
  if (!places) return places.error();
  const auto found = (*places)->Find(model);
  if (!found) return found.error();
  std::optional<ModelFiles> base_found;
  if (base && found->is_adapter) {
    auto named = (*places)->Find(*base);
    if (!named) return std::move(named).error();
    base_found = *std::move(named);
  }
  return OpenFoundModel(*found, base_found, *places);
}

bool IsFeaturesFile(const std::string& path) { return path.ends_with(kFeaturesSuffix); }

std::string FailureCount(size_t failed, size_t all) {
  return fmt::format("{} of {} models could not be read (listed above)", failed, all);
}

}  // namespace tensorguard::internal::cli
