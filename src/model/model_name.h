// What a model is called, by the place that a person named.
#ifndef TENSORGUARD_MODEL_MODEL_NAME_H_
#define TENSORGUARD_MODEL_MODEL_NAME_H_

#include <filesystem>
#include <string>

namespace tensorguard {

// "NAME" of hf://ORG/NAME@REVISION, the last part of another URL; of a path also
// "models--org--name" folders (named "name") and trailing slashes understood;
// suffixes of weight files (WeightSuffixOf) and _features.json removed.
std::string ModelNameFromPath(const std::filesystem::path& path);

}  // namespace tensorguard

#endif  // TENSORGUARD_MODEL_MODEL_NAME_H_
