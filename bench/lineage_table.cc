// lineage_table: who is said to come from whom, over folders of fingerprints whose ancestry is
// known (docs/lineage.md has figures from it).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evaluation/truth.h"
#include "families/baselines/lineage_baselines.h"
#include "families/full_classification.h"
#include "families/lineage/family_graph.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal {
namespace {

struct Model {
  TruthModel truth;
  Fingerprint fingerprint;
  std::set<std::string> ancestors = {};
};

void AddAncestors(const std::map<std::string, TruthModel>& truth, const std::string& name,
                  std::set<std::string>& ancestors) {
  const auto model = truth.find(name);
  if (model == truth.end() || model->second.relation == Relation::kIndependent) return;
  for (const std::string& parent : model->second.parents) {
    if (ancestors.insert(parent).second) AddAncestors(truth, parent, ancestors);
  }
}

Result<std::vector<Model>> ReadModels(const std::vector<std::filesystem::path>& folders) {
  std::vector<Model> models;
  std::map<std::string, TruthModel> truth;
  std::set<std::string> read;
  for (const auto& folder : folders) {
    auto own = ReadTruth(folder / "truth.json");
    if (!own) return std::move(own).error();
    for (const TruthModel& model : *own) {
      truth[model.name] = model;
      const auto path = folder / (model.name + std::string(kFingerprintSuffix));
      if (!std::filesystem::exists(path) || !read.insert(model.name).second) continue;
      auto fingerprint = ReadFingerprint(path);
      if (!fingerprint) return std::move(fingerprint).error();
      models.push_back({model, *std::move(fingerprint)});
      models.back().fingerprint.model_name = model.name;
    }
  }
  for (Model& model : models) AddAncestors(truth, model.truth.name, model.ancestors);
  return models;
}

// What is said of the models, counted.
struct Score {
  size_t derived = 0;
  size_t parents_right = 0;  // of any direction, members of one function taken for one
  size_t parents_shown = 0;  // right, and shown to be the parent
  size_t directions = 0;
  size_t directions_wrong = 0;
  size_t between_families = 0;
  size_t students = 0;  // that have a parent
  size_t bases = 0;
  size_t bases_wrong = 0;                         // said to come from a descendant
  std::map<int, std::pair<size_t, size_t>> told;  // by tenths of certainty: right, all
};

class Table {
 public:
  Table(const std::vector<Model>& models, const FamilyGraph& graph, bool each)
      : models_(models), graph_(graph), each_(each) {
    for (size_t i = 0; i < models.size(); ++i) place_[models[i].truth.name] = i;
    for (const auto& group : graph.groups) {
      for (const size_t model : group) group_[model] = group.front();
    }
  }

  void Print() {
    for (size_t i = 0; i < models_.size(); ++i) Count(i);
    fmt::print(
        "| derived models | parent right | and shown | directions told | wrong | bases | said "
        "to come from a descendant | edges between families | students with a parent |\n"
        "|---|---|---|---|---|---|---|---|---|\n| {} | {} | {} | {} | {} | {} | {} | {} | {} "
        "|\n",
        score_.derived, score_.parents_right, score_.parents_shown, score_.directions,
        score_.directions_wrong, score_.bases, score_.bases_wrong, score_.between_families,
        score_.students);
    fmt::print("\n| certainty of an edge | edges | parent right |\n|---|---|---|\n");
    for (const auto& [tenth, counts] : score_.told) {
      fmt::print("| {:.1f} | {} | {} |\n", tenth / 10.0, counts.second, counts.first);
    }
  }

  // Of models that have one true parent here, since each rule names one.
  void PrintBaselines(const std::vector<BaselineTrees>& baselines) const {
    fmt::print(
        "\n| rule | models with one parent | parent right | base given a parent |\n"
        "|---|---|---|---|\n");
    PrintRule("here", [&](size_t i) -> std::optional<size_t> {
      const auto parents = graph_.ParentsOf(i);
      if (parents.size() != 1 || parents.front()->parent >= models_.size()) return std::nullopt;
      return parents.front()->parent;
    });
    for (const BaselineTrees& trees : baselines) {
      PrintRule(std::string(trees.name), [&](size_t i) { return trees.parents[i]; });
    }
  }

 private:
  template <typename ParentOf>
  void PrintRule(const std::string& name, const ParentOf& parent_of) const {
    size_t asked = 0;
    size_t right = 0;
    size_t bases = 0;
    for (size_t i = 0; i < models_.size(); ++i) {
      const TruthModel& truth = models_[i].truth;
      const std::optional<size_t> parent = parent_of(i);
      if (truth.relation == Relation::kBase) bases += parent.has_value();
      if (truth.relation != Relation::kDerived || truth.parents.size() != 1) continue;
      if (!place_.contains(truth.parents.front())) continue;
      ++asked;
      const size_t true_parent = Group(place_.at(truth.parents.front()));
      // Members of one function count as one, as in the table above.
      right += parent && (Group(*parent) == true_parent ||
                          (Group(i) == true_parent && Group(*parent) == Group(i)));
    }
    fmt::print("| {} | {} | {} | {} |\n", name, asked, right, bases);
  }

  size_t Group(size_t model) const {
    const auto group = group_.find(model);
    return group == group_.end() ? model : group->second;
  }

  std::string NameOf(size_t node) const {
    return node < models_.size() ? models_[node].truth.name : "(missing)";
  }

  void Count(size_t i) {
    const Model& model = models_[i];
    const auto parents = graph_.ParentsOf(i);
    std::string text;
    std::set<size_t> named;
    for (const LineageEdge* edge : parents) {
      text += fmt::format(
          " {}{}({}{:.2f}{})", edge->directed ? "<- " : "-- ", NameOf(edge->parent),
          EdgeKindName(edge->kind) == "descent" ? "" : EdgeKindName(edge->kind), edge->certainty,
          edge->kind == EdgeKind::kMerge ? fmt::format(" w{:.2f}", edge->weight) : "");
      CountEdge(model, *edge);
      if (edge->parent < models_.size()) named.insert(Group(edge->parent));
    }
    if (model.truth.relation == Relation::kBase) ++score_.bases;
    if (model.truth.relation == Relation::kIndependent && !parents.empty()) ++score_.students;
    bool right = false;
    if (model.truth.relation == Relation::kDerived) {
      ++score_.derived;
      std::set<size_t> true_parents;
      for (const std::string& parent : model.truth.parents) {
        if (place_.contains(parent)) true_parents.insert(Group(place_.at(parent)));
      }
      // The root of a function's group is as good as the copy that hangs below it.
      right = named == true_parents || (true_parents.contains(Group(i)) && SameGroup(i));
      const bool shown = std::all_of(parents.begin(), parents.end(),
                                     [](const LineageEdge* edge) { return edge->directed; });
      if (right) ++score_.parents_right;
      if (right && shown) ++score_.parents_shown;
      for (const LineageEdge* edge : parents) {
        auto& counts = score_.told[static_cast<int>(edge->certainty * 10)];
        counts.first += right;
        ++counts.second;
      }
    }
    if (each_) {
      std::string truth;
      for (const std::string& parent : model.truth.parents) truth += " " + parent;
      fmt::print("{:<8} {:<28}{}   [truth:{}]\n",
                 model.truth.relation != Relation::kDerived ? ""
                 : right                                    ? "right"
                                                            : "WRONG",
                 model.truth.name, text, truth);
    }
  }

  bool SameGroup(size_t model) const { return group_.contains(model); }

  void CountEdge(const Model& model, const LineageEdge& edge) {
    if (edge.parent >= models_.size()) return;
    const Model& parent = models_[edge.parent];
    if (parent.truth.root != model.truth.root && !model.ancestors.contains(parent.truth.name)) {
      ++score_.between_families;
    }
    if (!edge.directed) return;
    ++score_.directions;
    if (!model.ancestors.contains(parent.truth.name)) ++score_.directions_wrong;
    if (model.truth.relation == Relation::kBase) ++score_.bases_wrong;
  }

  const std::vector<Model>& models_;
  const FamilyGraph& graph_;
  bool each_;
  std::map<std::string, size_t> place_ = {};
  std::map<size_t, size_t> group_ = {};
  Score score_ = {};
};

int Fail(const Error& error) {
  fmt::print(stderr, "lineage_table: {}\n", DescribeError(error));
  return 2;
}

int Run(const std::vector<std::filesystem::path>& folders, bool each) {
  const auto models = ReadModels(folders);
  if (!models) return Fail(models.error());
  std::vector<const Fingerprint*> fingerprints;
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t j = 0; j < models->size(); ++j) {
    fingerprints.push_back(&(*models)[j].fingerprint);
    for (size_t i = 0; i < j; ++i) pairs.emplace_back(i, j);
  }
  const auto kinships = CompareInPairs(fingerprints, pairs, 0);
  if (!kinships) return Fail(kinships.error());
  const FamilyGraph graph = GraphOf(fingerprints, *kinships);
  Table table(*models, graph, each);
  table.Print();
  table.PrintBaselines(BaselinesOf(fingerprints, graph, *kinships));
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) {
  CLI::App app("Who is said to come from whom, against the truth.");
  std::vector<std::filesystem::path> folders;
  bool each = false;
  app.add_option("folder", folders, "holds truth.json and NAME.fingerprint.safetensors")
      ->required();
  app.add_flag("--models", each, "a line for each model, too");
  CLI11_PARSE(app, argc, argv);
  return tensorguard::internal::Run(folders, each);
}
