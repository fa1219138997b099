// Names of models that stand beside each other in one answer.
#ifndef TENSORGUARD_API_READING_DISTINCT_NAMES_H_
#define TENSORGUARD_API_READING_DISTINCT_NAMES_H_

#include <string>
#include <vector>

#include "model/model_name.h"

namespace tensorguard::internal {

// Collects the names, and then changes those that two models have (DistinctNames).
class NamesToTellApart {
 public:
  // `name` must outlive this.
  void Add(std::string& name, const std::string& source) {
    names_.push_back(&name);
    models_.push_back({name, source});
  }

  // Of models or fingerprints, parallel to the arguments that they were read from.
  template <typename T>
  void AddAll(std::vector<T>& models, const std::vector<std::string>& sources) {
    for (size_t i = 0; i < models.size(); ++i) Add(models[i].model_name, sources[i]);
  }

  void TellApart() {
    std::vector<std::string> distinct = DistinctNames(models_);
    for (size_t i = 0; i < names_.size(); ++i) *names_[i] = std::move(distinct[i]);
  }

 private:
  std::vector<std::string*> names_;
  std::vector<NamedModel> models_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_DISTINCT_NAMES_H_
