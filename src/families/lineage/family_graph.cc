#include "families/lineage/family_graph.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/try.h"
#include "families/lineage/build_classes.h"
#include "families/lineage/class_links.h"
#include "families/lineage/class_tree.h"
#include "families/merges/family_merges.h"

namespace tensorguard::internal {
namespace {

constexpr int kMostRounds = 3;

// One family's part of the graph.
class FamilyBuilder {
 public:
  FamilyBuilder(std::span<const Fingerprint* const> models, std::vector<size_t> family,
                const Kinships& kinships, const GraphOptions& options)
      : models_(models), family_(std::move(family)), kinships_(kinships), options_(options) {}

  void AddTo(FamilyGraph* graph) {
    const auto groups = FunctionGroupsOf(family_, kinships_);
    graph->groups.insert(graph->groups.end(), groups.begin(), groups.end());
    const auto classes = BuildClassesOf(family_, kinships_);
    const auto trees = TreesOf(classes);
    for (const ClassTree& tree : trees) {
      if (!tree.root_is_sure) unsure_.insert(tree.members.begin(), tree.members.end());
    }
    const ClassLinks links = LinkClasses(trees, kinships_);
    for (const ClassTree& tree : links.trees) AddTree(tree, graph);
    for (const LineageEdge& edge : links.edges) Add(edge, graph);
    for (const auto& [child, merge] : merges_) {
      if (IsTold(child, merge)) graph->merges.emplace(child, merge);
    }
    const size_t top = links.trees[links.top].root;
    graph->root_of_family.push_back(missing_.contains(top) ? missing_.at(top) : top);
  }

 private:
  std::vector<ClassTree> TreesOf(const std::vector<std::vector<size_t>>& classes) {
    const std::set<size_t> mixtures = MixturesIn(models_, family_, kinships_);
    std::vector<OriginOfClass> origins;
    for (const auto& members : classes) origins.push_back(OriginOf(members, mixtures));
    // A tree without the merges may have another root, since which there are other merges.
    for (int round = 0; round < kMostRounds; ++round) {
      merges_ = MergesIn(models_, family_, origins, mixtures, kinships_);
      if (!MoveRoots(&origins)) break;
    }
    std::vector<ClassTree> trees;
    for (const OriginOfClass& own : origins) {
      trees.push_back(BuildClassTree(own.members, kinships_, ParentsOfMerges(), options_.rounds));
    }
    return trees;
  }

  bool MoveRoots(std::vector<OriginOfClass>* origins) const {
    bool moved = false;
    for (OriginOfClass& own : *origins) {
      const size_t root = BuildClassTree(own.members, kinships_, ParentsOfMerges(), 0).root;
      moved |= root != own.root;
      own.root = root;
    }
    return moved;
  }

  // A mixture of other members is no root.
  OriginOfClass OriginOf(const std::vector<size_t>& members,
                         const std::set<size_t>& mixtures) const {
    OriginOfClass origin{.members = members};
    std::vector<size_t> possible;
    for (const size_t member : members) {
      if (mixtures.contains(member)) {
        origin.mixtures.insert(member);
      } else {
        possible.push_back(member);
      }
    }
    if (possible.empty()) possible = members;
    origin.root = BuildClassTree(possible, kinships_, {}, 0).root;
    while (possible.size() > 2 && IsMergedRoot(models_, origin.root, possible, kinships_)) {
      std::erase(possible, origin.root);
      origin.root = BuildClassTree(possible, kinships_, {}, 0).root;
    }
    return origin;
  }

  std::map<size_t, std::set<size_t>> ParentsOfMerges() const {
    std::map<size_t, std::set<size_t>> parents;
    for (const auto& [child, merge] : merges_) {
      for (const MergeParent& parent : merge.parents) parents[child].insert(parent.candidate);
    }
    return parents;
  }

  // What changes say depends on their origin; what leaves nothing over does not.
  bool IsTold(size_t child, const MergeExplanation& merge) const {
    if (merge.parents.size() < 2) return false;
    return merge.form != MergeForm::kIncrements || !unsure_.contains(child);
  }

  void AddTree(const ClassTree& tree, FamilyGraph* graph) {
    if (tree.missing_parent) {
      const size_t missing = graph->models + graph->family_of_missing.size();
      graph->family_of_missing.push_back(family_.front());
      missing_[tree.root] = missing;
      graph->edges.push_back({.child = tree.root,
                              .parent = missing,
                              .directed = true,
                              .certainty = *tree.missing_parent});
    }
    for (LineageEdge edge : tree.edges) {
      if (tree.missing_parent && edge.parent == tree.root) {
        edge.parent = missing_.at(tree.root);
        edge.directed = true;
        edge.certainty = *tree.missing_parent;
        edge.runner_up = tree.root;
      }
      Add(edge, graph);
    }
  }

  // A merge has its parents in place of the one that the tree gives it; of two of which one was
  // thinned it is not shown which.
  void Add(const LineageEdge& edge, FamilyGraph* graph) {
    const auto merge = merges_.find(edge.child);
    if (merge == merges_.end()) {
      graph->edges.push_back(edge);
      return;
    }
    const bool of_several = merge->second.parents.size() > 1;
    const bool told = IsTold(edge.child, merge->second);
    for (const MergeParent& parent : merge->second.parents) {
      graph->edges.push_back({.child = edge.child,
                              .parent = parent.candidate,
                              .kind = of_several ? EdgeKind::kMerge : EdgeKind::kDescent,
                              .directed = told || kinships_.Told(parent.candidate, edge.child),
                              .certainty = 1 - merge->second.residual / 2,
                              .weight = parent.weight,
                              .weight_error = parent.error});
    }
  }

  std::span<const Fingerprint* const> models_;
  std::vector<size_t> family_;
  const Kinships& kinships_;
  const GraphOptions& options_;
  std::map<size_t, MergeExplanation> merges_ = {};
  std::set<size_t> unsure_ = {};           // models of classes whose root is not sure
  std::map<size_t, size_t> missing_ = {};  // by the root of its class
};

}  // namespace

std::vector<const LineageEdge*> FamilyGraph::ParentsOf(size_t child) const {
  std::vector<const LineageEdge*> parents;
  for (const LineageEdge& edge : edges) {
    if (edge.child == child) parents.push_back(&edge);
  }
  std::stable_sort(parents.begin(), parents.end(), [](const LineageEdge* x, const LineageEdge* y) {
    return x->weight > y->weight;
  });
  return parents;
}

FamilyGraph GraphOf(std::span<const Fingerprint* const> models, const Kinships& kinships,
                    const GraphOptions& options) {
  FamilyGraph graph{.models = models.size(), .family_of_model = std::vector<size_t>(models.size())};
  const auto families = FamiliesOf(models.size(), kinships);
  for (size_t family = 0; family < families.size(); ++family) {
    for (const size_t model : families[family]) graph.family_of_model[model] = family;
    if (families[family].size() == 1) {
      graph.root_of_family.push_back(families[family].front());
      continue;
    }
    FamilyBuilder(models, families[family], kinships, options).AddTo(&graph);
  }
  for (size_t& family : graph.family_of_missing) family = graph.family_of_model[family];
  for (LineageEdge& edge : graph.edges) edge.signs = kinships.SignsBetween(edge.parent, edge.child);
  std::stable_sort(graph.edges.begin(), graph.edges.end(),
                   [](const LineageEdge& x, const LineageEdge& y) { return x.child < y.child; });
  return graph;
}

Result<FamilyGraph> InferFamilyGraph(std::span<const Fingerprint* const> models,
                                     std::span<const std::pair<size_t, size_t>> pairs,
                                     const GraphOptions& options) {
  TG_ASSIGN(const Kinships kinships, CompareInPairs(models, pairs, options.threads));
  return GraphOf(models, kinships, options);
}

}  // namespace tensorguard::internal
