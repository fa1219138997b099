#include "api/paper/features.h"

#include "api/models.h"
#include "base/try.h"
#include "paper/paper_profile.h"

namespace tensorguard::internal {

Result<PaperFeatures> FeaturesOf(const std::string& argument, const FeatureReading& reading,
                                 const Session& session) {
  if (IsFeaturesFile(argument)) return ReadPaperFeatures(argument);
  TG_ASSIGN(const auto model, OpenWithBase(argument, reading.base, session));
  auto profile = ComputePaperProfile(
      *model.weights, model.name,
      {.threads = reading.threads, .on_progress = session.listener.ShowProgress(model.name)});
  session.listener.EndProgress();
  if (!profile) return std::move(profile).error().InFile(argument);
  return std::move(profile->features);
}

Result<ManyFeatures> FeaturesOfAll(const std::vector<std::string>& arguments,
                                   const FeatureReading& reading, const Session& session) {
  return ReadAll<PaperFeatures>(
      arguments, Profile::kPaper,
      [&](const std::string& source) { return FeaturesOf(source, reading, session); }, session);
}

}  // namespace tensorguard::internal
