// What arguments that stand for many models name: fingerprints, folders of them, models.
#ifndef TENSORGUARD_APPS_CLI_SOURCES_H_
#define TENSORGUARD_APPS_CLI_SOURCES_H_

#include <string>
#include <vector>

namespace tensorguard::cli {

enum class Profile { kFull, kPaper };

// NAME.fingerprint.safetensors, or a file of another name whose header says that it is one.
bool IsFingerprintFile(const std::string& path);

// The profile of that name ("full", "paper"). For "": kPaper if one of the arguments is a features
// file or a folder that holds those and no fingerprints of the full profile; else kFull.
Profile ChooseProfile(const std::string& name, const std::vector<std::string>& arguments);

// The paths that `argument` stands for: a folder's fingerprints of that profile, sorted, if it
// holds any; its models, sorted, if it is itself none; else the argument as it is.
std::vector<std::string> SourcesOf(const std::string& argument, Profile profile);

}  // namespace tensorguard::cli

#endif  // TENSORGUARD_APPS_CLI_SOURCES_H_
