#include "cli/features.h"

#include <algorithm>
#include <filesystem>

#include "cli/models.h"
#include "fingerprint/paper_profile.h"

namespace tensorguard::cli {
namespace {

namespace fs = std::filesystem;

// The features files in a folder, sorted; none if it is no folder or holds none.
std::vector<std::string> FeaturesFilesIn(const std::string& path) {
  std::vector<std::string> files;
  std::error_code failure;
  for (fs::directory_iterator entry(path, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string file = entry->path().string();
    if (IsFeaturesFile(file)) files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

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
  std::vector<std::string> sources;
  for (const std::string& argument : arguments) {
    const std::vector<std::string> files = FeaturesFilesIn(argument);
    if (files.empty()) sources.push_back(argument);
    sources.insert(sources.end(), files.begin(), files.end());
  }
  ManyFeatures many;
  many.asked = sources.size();
  for (const std::string& source : sources) {
    auto features = FeaturesOf(source, reading, console);
    if (features) {
      many.features.push_back(*std::move(features));
    } else {
      console.ReportError(features.error());
      many.errors.push_back(std::move(features).error());
    }
  }
  return many;
}

}  // namespace tensorguard::cli
