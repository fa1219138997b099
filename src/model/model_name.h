// What a model is called, by the place that a person named.
#ifndef TENSORGUARD_MODEL_MODEL_NAME_H_
#define TENSORGUARD_MODEL_MODEL_NAME_H_

#include <filesystem>
#include <string>
#include <vector>

namespace tensorguard::internal {

// "NAME" of hf://ORG/NAME@REVISION, the last part of another URL or path without trailing slashes;
// "models--ORG--NAME" folders of a Hub cache are named "NAME", and so are their snapshots. Suffixes
// of weight files and indexes, of fingerprints and of features files are removed. A file whose name
// says nothing of the model ("model.onnx", "pytorch_model-00001-of-00002.bin") has the name of its
// folder.
std::string ModelNameFromPath(const std::filesystem::path& path);

struct NamedModel {
  std::string name;
  std::filesystem::path path;  // that a person named: a model's, or its fingerprint's
  bool keeps_name = false;     // the others give way
};

// The names of `models`, in their order, but where two of different paths have the same one: each
// of these gets the shortest end of its path that none of the others has ("runs/a/x", "runs/b/x"
// are "a/x" and "b/x").
std::vector<std::string> DistinctNames(const std::vector<NamedModel>& models);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_MODEL_MODEL_NAME_H_
