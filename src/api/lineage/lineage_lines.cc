#include "api/lineage/lineage_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace tensorguard::internal {
namespace {

std::string HowOf(const FamilyLineage& lineage, const std::vector<const LineageEdge*>& parents) {
  const LineageEdge& first = *parents.front();
  if (first.kind == EdgeKind::kMerge) {
    std::string text = "merge: ";
    for (size_t i = 0; i < parents.size(); ++i) {
      text += fmt::format("{}{:.2f} {}", i > 0 ? " + " : "", parents[i]->weight,
                          lineage.names[parents[i]->parent]);
    }
    return text;
  }
  if (first.kind == EdgeKind::kSameFunction) {
    return first.directed ? "the same function, rewritten" : "the same function, in no order";
  }
  if (first.parent >= lineage.graph.models) return "from a model that is not here";
  return first.directed ? "made from it" : "its neighbour";
}

std::string DoubtOf(const FamilyLineage& lineage, const LineageEdge& edge) {
  std::string text;
  if (!edge.directed && edge.kind == EdgeKind::kDescent) text = "which came first is not shown";
  if (edge.certainty < kSureEdge && edge.runner_up) {
    text += fmt::format("{}or from {}", text.empty() ? "" : "; ", lineage.names[*edge.runner_up]);
  }
  return text;
}

std::string DeclaredText(const FamilyLineage& lineage, const LineageEdge& edge) {
  const Declared declared = CompareWithDeclared(edge, lineage.declared, lineage.names);
  switch (declared) {
    case Declared::kAgrees:
      return "its files say so, too";
    case Declared::kContradicts:
    case Declared::kElsewhere:
      break;
    case Declared::kNothing:
      return {};
  }
  std::string text = "its files say";
  for (const std::string& name : lineage.declared[edge.child]) text += " " + name;
  return declared == Declared::kElsewhere ? text + ", which is not here" : text + ": contradicts";
}

class Lines {
 public:
  explicit Lines(const FamilyLineage& lineage) : lineage_(lineage) {
    const FamilyGraph& graph = lineage.graph;
    for (size_t child = 0; child < graph.models; ++child) {
      auto parents = graph.ParentsOf(child);
      if (parents.empty()) continue;
      children_[parents.front()->parent].push_back(child);
      parents_[child] = std::move(parents);
    }
    for (auto& [parent, children] : children_) {
      std::sort(children.begin(), children.end(),
                [&](size_t x, size_t y) { return lineage.names[x] < lineage.names[y]; });
    }
  }

  std::vector<LineageLine> Run() {
    const FamilyGraph& graph = lineage_.graph;
    for (size_t family = 0; family < graph.root_of_family.size(); ++family) {
      if (!IsShown(lineage_, family)) continue;
      const size_t root = graph.root_of_family[family];
      if (children_.contains(root) || LostItsChildren(root)) AddWithChildren(root, 0, true);
    }
    for (const LineageEdge& edge : lineage_.uncertain) AddUncertain(edge);
    return std::move(lines_);
  }

 private:
  void AddWithChildren(size_t node, size_t depth, bool last) {
    if (!seen_.insert(node).second) return;
    LineageLine line{.node = node, .depth = depth, .last = last};
    if (const auto parents = parents_.find(node); parents != parents_.end() && depth > 0) {
      line.edge = parents->second.front();
      line.how = HowOf(lineage_, parents->second);
      line.doubt = DoubtOf(lineage_, *line.edge);
      line.declared = DeclaredText(lineage_, *line.edge);
    }
    lines_.push_back(std::move(line));
    const auto children = children_.find(node);
    if (children == children_.end()) return;
    for (const size_t child : children->second) {
      AddWithChildren(child, depth + 1, child == children->second.back());
    }
  }

  // All of them are uncertain.
  bool LostItsChildren(size_t root) const {
    return root < lineage_.graph.models &&
           std::ranges::any_of(lineage_.uncertain, [&](const LineageEdge& edge) {
             return FamilyOf(lineage_, edge.child) == FamilyOf(lineage_, root);
           });
  }

  void AddUncertain(const LineageEdge& edge) {
    if (!IsShown(lineage_, FamilyOf(lineage_, edge.child)) || seen_.contains(edge.child)) return;
    const size_t place = lines_.size();
    AddWithChildren(edge.child, 0, true);
    lines_[place].how = fmt::format("parent not certain: {} at {:.2f}", lineage_.names[edge.parent],
                                    edge.certainty);
  }

  const FamilyLineage& lineage_;
  std::map<size_t, std::vector<size_t>> children_ = {};
  std::map<size_t, std::vector<const LineageEdge*>> parents_ = {};
  std::set<size_t> seen_ = {};
  std::vector<LineageLine> lines_ = {};
};

}  // namespace

std::vector<LineageLine> LinesOf(const FamilyLineage& lineage) { return Lines(lineage).Run(); }

std::vector<size_t> ModelsAlone(const FamilyLineage& lineage) {
  std::map<size_t, size_t> sizes;
  for (const size_t family : lineage.graph.family_of_model) ++sizes[family];
  std::vector<size_t> alone;
  for (size_t model = 0; model < lineage.graph.models; ++model) {
    const bool shown = IsShown(lineage, FamilyOf(lineage, model));
    if (shown && sizes[lineage.graph.family_of_model[model]] == 1) alone.push_back(model);
  }
  return alone;
}

}  // namespace tensorguard::internal
