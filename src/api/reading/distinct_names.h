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
  // Of a model that was asked about: it is told apart from others of that kind alone. `name` must
  // outlive this.
  void AddAsked(std::string& name, const std::string& source) { Add(asked_, name, source); }

  // Of one that it is held against, which gives way.
  void Add(std::string& name, const std::string& source) { Add(others_, name, source); }

  // Of models or fingerprints, parallel to the arguments that they were read from.
  template <typename T>
  void AddAll(std::vector<T>& models, const std::vector<std::string>& sources) {
    for (size_t i = 0; i < models.size(); ++i) Add(models[i].model_name, sources[i]);
  }

  void TellApart() {
    std::vector<NamedModel> models = asked_.models;
    Rename(asked_, DistinctNames(models));
    for (size_t i = 0; i < models.size(); ++i) {
      models[i].name = *asked_.names[i];
      models[i].keeps_name = true;
    }
    models.insert(models.end(), others_.models.begin(), others_.models.end());
    std::vector<std::string> distinct = DistinctNames(models);
    distinct.erase(distinct.begin(),
                   distinct.begin() + static_cast<std::ptrdiff_t>(asked_.names.size()));
    Rename(others_, std::move(distinct));
  }

 private:
  struct Group {
    std::vector<std::string*> names;
    std::vector<NamedModel> models;
  };

  static void Add(Group& group, std::string& name, const std::string& source) {
    group.names.push_back(&name);
    group.models.push_back({name, source});
  }

  static void Rename(Group& group, std::vector<std::string> names) {
    for (size_t i = 0; i < names.size(); ++i) *group.names[i] = std::move(names[i]);
  }

  Group asked_;
  Group others_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_DISTINCT_NAMES_H_
