#include "evaluation/truth.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "base/json.h"
#include "base/json/json_members.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 3> kRelations = {"base", "derived", "independent"};
static_assert(static_cast<int>(Relation::kBase) == 0 && static_cast<int>(Relation::kDerived) == 1 &&
              static_cast<int>(Relation::kIndependent) == 2);

constexpr size_t kMostParents = 1000;

Error Wrong(std::string problem, std::string found, std::string expected) {
  return {.kind = ErrorKind::kBadFile,
          .problem = std::move(problem),
          .found = std::move(found),
          .expected = std::move(expected)};
}

bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

Result<TruthModel> ReadEntry(const Json& entry, const std::string& where) {
  JsonMembers members(entry, where);
  TruthModel model = {.name = members.Text("name"),
                      .root = members.Text("root"),
                      .parents = members.TextsIfThere("parents", kMostParents),
                      .kind = members.Text("kind"),
                      .relation = static_cast<Relation>(members.Choice("relation", kRelations)),
                      .weights = members.RealsIfThere("weights", kMostParents)};
  if (members.Has("merged_equals")) model.merged_equals = members.Text("merged_equals");
  if (!IsPlainFileName(model.name))
    members.Fail("name", model.name, "a file name, no folder in it");
  const bool states_weights = members.Has("weights") && !entry["weights"].is_null();
  if (states_weights && model.weights.size() != model.parents.size()) {
    members.Fail("weights", fmt::format("{}", model.weights.size()),
                 fmt::format("one of each of the {} parents", model.parents.size()));
  }
  TG_TRY(members.Check());
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
    auto model = ReadEntry(entry, fmt::format("entry {}", models.size() + 1));
    if (!model) return std::move(model).error().InFile(path.string());
    models.push_back(*std::move(model));
  }
  if (auto checked = CheckReferences(models); !checked) {
    return Error(checked.error()).InFile(path.string());
  }
  return models;
}

}  // namespace tensorguard::internal
