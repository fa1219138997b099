#include "cli/models/features.h"

#include "cli/models/models.h"
#include "paper/paper_profile.h"

namespace tensorguard::internal::cli {
Result<PaperFeatures> FeaturesOf(const std::string& argument, const FeatureReading& reading,
                                 Console& console) {
  if (IsFeaturesFile(argument)) return ReadPaperFeatures(argument);
  const auto model = OpenWithBase(argument, reading.base);
  if (!model) return model.error();
  auto profile = ComputePaperProfile(
      *model->weights, model->name,
      {.threads = reading.threads, .on_progress = console.ShowProgress(model->name)});
  console.EndProgress();
  if (!profile) return std::move(profile).error().InFile(argument);
  return std::move(profile->features);
}

ManyFeatures FeaturesOfAll(const std::vector<std::string>& arguments, const FeatureReading& reading,
                           Console& console) {
  return ReadAll<PaperFeatures>(
      arguments, Profile::kPaper,
      [&](const std::string& source) { return FeaturesOf(source, reading, console); }, console);
}

}  // namespace tensorguard::internal::cli
