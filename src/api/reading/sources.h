// What arguments that stand for many models name: fingerprints, folders of them, models.
#ifndef TENSORGUARD_API_READING_SOURCES_H_
#define TENSORGUARD_API_READING_SOURCES_H_

#include <string>
#include <vector>

#include "api/session.h"
#include "weights/files/model_folder.h"

namespace tensorguard::internal {

enum class Profile { kFull, kPaper };

// NAME.fingerprint.safetensors, or a file of another name whose header says that it is one; or a
// model of a registry.
bool IsFingerprintFile(const std::string& path);

// The profile of that name ("full", "paper"). For "": kPaper if one of the arguments is a features
// file or a folder that holds those and no fingerprints of the full profile; else kFull.
Profile ChooseProfile(const std::string& name, const std::vector<std::string>& arguments);

struct Sources {
  std::vector<std::string> paths;
  std::vector<LeftOut> left_out;  // of folders: what is none of `paths`, and why
};

// What `arguments` stand for, in their order: a folder's fingerprints of that profile, sorted, if
// it holds any; else its models (FindModels), sorted; the models of a registry; else the argument
// as it is.
Sources SourcesOf(const std::vector<std::string>& arguments, Profile profile,
                  const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_SOURCES_H_
