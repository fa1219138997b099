#include "evaluation/truth.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/json.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

// What is wrong with one entry; its number is added where it is known.
Error Wrong(std::string problem, std::string found, std::string expected) {
  return {.kind = ErrorKind::kBadFile,
          .problem = std::move(problem),
          .found = std::move(found),
          .expected = std::move(expected)};
}

Result<std::string> TextField(const Json& entry, const char* key) {
  const auto field = entry.find(key);
  if (field == entry.end() || !field->is_string()) {
    return Wrong(fmt::format("\"{}\" is missing or no text", key), "", "a text");
  }
  return field->get<std::string>();
}

bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

std::optional<Relation> RelationNamed(const std::string& name) {
  if (name == "base") return Relation::kBase;
  if (name == "derived") return Relation::kDerived;
  if (name == "independent") return Relation::kIndependent;
  return {};
}

Result<std::vector<std::string>> Parents(const Json& entry) {
  const auto field = entry.find("parents");
  if (field == entry.end()) return std::vector<std::string>();
  std::vector<std::string> parents;
  if (!field->is_array()) return Wrong("\"parents\" is no list", "", "a list of names");
  for (const Json& parent : *field) {
    if (!parent.is_string()) return Wrong("a parent is no text", parent.dump(), "a name");
    parents.push_back(parent.get<std::string>());
  }
  return parents;
}

Result<std::vector<double>> Weights(const Json& entry, size_t parents) {
  const auto field = entry.find("weights");
  if (field == entry.end() || field->is_null()) return std::vector<double>();
  std::vector<double> weights;
  if (!field->is_array()) return Wrong("\"weights\" is no list", "", "a number per parent");
  for (const Json& weight : *field) {
    if (!weight.is_number() || !std::isfinite(weight.get<double>())) {
      return Wrong("a weight is no number", weight.dump(), "a number");
    }
    weights.push_back(weight.get<double>());
  }
  if (weights.size() != parents) {
    return Wrong("\"weights\" does not fit \"parents\"", fmt::format("{}", weights.size()),
                 fmt::format("{}", parents));
  }
  return weights;
}

Result<TruthModel> ReadEntry(const Json& entry) {
  if (!entry.is_object()) return Wrong("an entry is no object", entry.type_name(), "an object");
  auto name = TextField(entry, "name");
  if (!name) return std::move(name).error();
  if (!IsPlainFileName(*name)) return Wrong("a name is no file name", *name, "no folder in it");
  TG_ASSIGN(auto root, TextField(entry, "root"));
  TG_ASSIGN(auto kind, TextField(entry, "kind"));
  TG_ASSIGN(const auto relation_name, TextField(entry, "relation"));
  const auto relation = RelationNamed(relation_name);
  if (!relation) return Wrong("no such relation", relation_name, "base, derived or independent");
  TG_ASSIGN(auto parents, Parents(entry));
  TG_ASSIGN(auto weights, Weights(entry, parents.size()));
  TruthModel model = {.name = *std::move(name),
                      .root = std::move(root),
                      .parents = std::move(parents),
                      .kind = std::move(kind),
                      .relation = *relation,
                      .weights = std::move(weights)};
  if (entry.contains("merged_equals")) {
    TG_ASSIGN(auto twin, TextField(entry, "merged_equals"));
    model.merged_equals = std::move(twin);
  }
  return model;
}

// Every name that an entry refers to is in the list, and roots are bases.
Result<void> CheckReferences(const std::vector<TruthModel>& models) {
  std::map<std::string, const TruthModel*> by_name;
  for (const TruthModel& model : models) {
    if (!by_name.emplace(model.name, &model).second) {
      return Wrong("a name occurs twice", model.name, "each model once");
    }
  }
  for (const TruthModel& model : models) {
    const auto root = by_name.find(model.root);
    if (root == by_name.end() || root->second->relation != Relation::kBase) {
      return Wrong(fmt::format("the root of {} is no base of the list", model.name), model.root,
                   "a model with the relation \"base\"");
    }
    if (model.relation == Relation::kBase && model.root != model.name) {
      return Wrong(fmt::format("{} is a base with another root", model.name), model.root,
                   model.name);
    }
    std::vector<std::string> named = model.parents;
    if (model.merged_equals) named.push_back(*model.merged_equals);
    for (const std::string& name : named) {
      if (by_name.count(name) == 0) {
        return Wrong(fmt::format("{} names a model that is not in the list", model.name), name,
                     "a name of the list");
      }
    }
  }
  return {};
}

}  // namespace

Result<std::vector<TruthModel>> ReadTruth(const std::filesystem::path& path) {
  TG_ASSIGN(const auto json, ReadJsonFile(path));
  if (!json.is_array()) {
    return Wrong("the truth is no list", json.type_name(), "a list of models")
        .InFile(path.string());
  }
  std::vector<TruthModel> models;
  for (const Json& entry : json) {
    auto model = ReadEntry(entry);
    if (!model) {
      Error error = std::move(model).error();
      error.problem = fmt::format("entry {}: {}", models.size() + 1, error.problem);
      return std::move(error).InFile(path.string());
    }
    models.push_back(*std::move(model));
  }
  if (auto checked = CheckReferences(models); !checked) {
    return Error(checked.error()).InFile(path.string());
  }
  return models;
}

}  // namespace tensorguard::internal
