#include "api/models.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/cancellable_weights.h"
#include "api/reading/sources.h"
#include "base/try.h"
#include "model/found_model.h"

namespace tensorguard::internal {

namespace {

// Beside a merged model, too, an adapter's config may have been left: a base then does no harm.
Result<bool> MayHaveBase(const std::string& model, const Session& session) {
  TG_ASSIGN(const auto places, session.places());
  TG_ASSIGN(const auto path, places->Locate(model));
  TG_ASSIGN(const auto found, FindKindOfFiles(path, *places));
  return found.is_adapter || found.leftover_adapter_config;
}

}  // namespace

Result<void> CheckBase(const std::vector<std::string>& models,
                       const std::optional<std::string>& base, const Session& session) {
  if (!base) return {};
  // One that cannot be told is an error of its own when it is opened.
  const bool wanted = std::any_of(models.begin(), models.end(), [&](const std::string& model) {
    const auto may_have_base = MayHaveBase(model, session);
    return !may_have_base || *may_have_base;
  });
  if (wanted) return {};
  return Error{.kind = ErrorKind::kUsage,
               .problem = "--base is given, but no model is an adapter",
               .found = *base,
               .expected = "an adapter folder, with adapter_config.json"};
}

Result<Model> OpenWithBase(const std::string& model, const std::optional<std::string>& base,
                           const Session& session) {
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
  TG_ASSIGN(const auto places, session.places());
  TG_ASSIGN(const auto found, places->Find(model));
  std::optional<ModelFiles> base_found;
  if (base && found.is_adapter) {
    TG_ASSIGN(auto named, places->Find(*base));
    base_found = std::move(named);
  }
  auto opened = OpenFoundModel(found, base_found, places, session.part);
  if (opened) {
    opened->weights =
        std::make_shared<CancellableWeights>(std::move(opened->weights), session.listener);
  }
  return opened;
}

bool IsFeaturesFile(const std::string& path) { return path.ends_with(kFeaturesSuffix); }

}  // namespace tensorguard::internal
