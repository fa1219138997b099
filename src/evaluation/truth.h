// What is known about the models of a folder: which is whose child.
#ifndef TENSORGUARD_EVALUATION_TRUTH_H_
#define TENSORGUARD_EVALUATION_TRUTH_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

enum class Relation {
  kBase,         // trained from its own random weights; the root of a family
  kDerived,      // its weights come from its root's
  kIndependent,  // its weights do not, whatever else does (a student trained on the root's outputs)
};

struct TruthModel {
  std::string name = {};  // also the model's folder or file beside the truth file
  std::string root = {};  // the base of its family; its own name for a base
  std::vector<std::string> parents = {};
  std::string kind = {};  // how it was made: "sft", "lora", "merge-linear", ...
  Relation relation = Relation::kBase;
  std::vector<double> weights = {};  // of a merge, one per parent; empty where not stated
  std::optional<std::string> merged_equals = {};  // the model that it must be a copy of
};

// A JSON list of objects with "name", "root", "parents", "kind", "relation" ("base", "derived",
// "independent") and, where they apply, "weights" and "merged_equals"; other fields are not looked
// at. Errors: kNotFound, kBadFile: not of this form, a name twice, a name that is not a plain file
// name, a root that is no base, a parent that is not in the list.
Result<std::vector<TruthModel>> ReadTruth(const std::filesystem::path& path);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_EVALUATION_TRUTH_H_
