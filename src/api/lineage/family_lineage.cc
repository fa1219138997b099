#include "api/lineage/family_lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/cancellable_weights.h"
#include "api/fingerprints.h"
#include "api/reading/distinct_names.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/try.h"
#include "drawing/html_text.h"
#include "families/shortlist.h"
#include "fingerprint/screening.h"
#include "report/lineage_drawing.h"

namespace tensorguard::internal {
namespace {

std::vector<std::pair<size_t, size_t>> AllPairs(size_t models) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t b = 1; b < models; ++b) {
    for (size_t a = 0; a < b; ++a) pairs.emplace_back(a, b);
  }
  return pairs;
}

// Each model with those that its signature is nearest to.
Result<std::vector<std::pair<size_t, size_t>>> NearPairs(const std::vector<Fingerprint>& models,
                                                         unsigned threads) {
  std::vector<ScreeningSignature> signatures;
  for (const Fingerprint& model : models) signatures.push_back(ScreeningOf(model));
  std::vector<std::vector<size_t>> nearest(models.size());
  TG_TRY(ParallelFor(models.size(), threads, [&](size_t i) -> Result<void> {
    nearest[i] = ShortlistOf(signatures[i], signatures, 1);
    return {};
  }));
  std::set<std::pair<size_t, size_t>> pairs;
  for (size_t i = 0; i < models.size(); ++i) {
    for (const size_t j : nearest[i]) {
      if (i != j) pairs.insert(std::minmax({i, j}));
    }
  }
  return std::vector<std::pair<size_t, size_t>>(pairs.begin(), pairs.end());
}

Result<std::vector<std::pair<size_t, size_t>>> PairsToCompare(
    const std::vector<Fingerprint>& models, unsigned threads) {
  if (models.size() <= kFewKnownModels) return AllPairs(models.size());
  return NearPairs(models, threads);
}

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
      if (lineage_.only_family && *lineage_.only_family != family) continue;
      const size_t root = graph.root_of_family[family];
      if (!children_.contains(root)) continue;
      AddWithChildren(root, 0, true);
    }
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
    }
    lines_.push_back(std::move(line));
    const auto children = children_.find(node);
    if (children == children_.end()) return;
    for (const size_t child : children->second) {
      AddWithChildren(child, depth + 1, child == children->second.back());
    }
  }

  const FamilyLineage& lineage_;
  std::map<size_t, std::vector<size_t>> children_ = {};
  std::map<size_t, std::vector<const LineageEdge*>> parents_ = {};
  std::set<size_t> seen_ = {};
  std::vector<LineageLine> lines_ = {};
};

std::string DotName(const std::string& name) {
  std::string quoted = "\"";
  for (const char letter : EscapeControl(name)) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "\"";
}

bool IsShownFamily(const FamilyLineage& lineage, size_t model) {
  return !lineage.only_family || lineage.graph.family_of_model[model] == *lineage.only_family;
}

LineageDrawing DrawingOf(const FamilyLineage& lineage) {
  LineageDrawing drawing;
  std::map<size_t, size_t> place;
  for (const LineageLine& line : LinesOf(lineage)) {
    place[line.node] = drawing.nodes.size();
    LineageNode node{.name = lineage.names[line.node],
                     .depth = line.depth,
                     .missing = line.node >= lineage.graph.models};
    if (line.edge != nullptr) {
      node.parent = place.at(line.edge->parent);
      node.how = line.doubt.empty() ? line.how : line.how + " (" + line.doubt + ")";
      node.directed = line.edge->directed;
      node.sure = line.edge->certainty >= kSureEdge;
      node.kind = line.edge->kind == EdgeKind::kMerge          ? LineageNodeKind::kMerge
                  : line.edge->kind == EdgeKind::kSameFunction ? LineageNodeKind::kSameFunction
                                                               : LineageNodeKind::kDescent;
    }
    drawing.nodes.push_back(std::move(node));
  }
  for (const LineageEdge& edge : lineage.graph.edges) {
    if (edge.kind != EdgeKind::kMerge || !place.contains(edge.child)) continue;
    const auto& node = drawing.nodes[place.at(edge.child)];
    const auto parent = place.find(edge.parent);
    if (parent == place.end() || node.parent == parent->second) continue;
    drawing.further_parents.emplace_back(parent->second, place.at(edge.child));
  }
  return drawing;
}

}  // namespace

Result<FamilyLineage> TraceFamilies(const LineageRequest& request, const Session& session) {
  TG_ASSIGN(auto all, FingerprintsOfAll(request.known, {.threads = request.threads}, session));
  if (all.read.empty() && all.shortfall.errors.empty()) {
    return Error{.kind = ErrorKind::kUsage, .problem = "there is no model to trace"};
  }
  NamesToTellApart names;
  names.AddAll(all.read, all.sources);
  names.TellApart();
  TG_ASSIGN(auto lineage, TracePrints(all.read, request, session.listener));
  lineage.shortfall = std::move(all.shortfall);
  return lineage;
}

Result<FamilyLineage> TracePrints(const std::vector<Fingerprint>& models,
                                  const LineageRequest& request, const Listener& listener) {
  TG_ASSIGN(const auto pairs, PairsToCompare(models, request.threads));
  FamilyLineage lineage;
  std::vector<const Fingerprint*> pointers;
  for (const Fingerprint& model : models) {
    pointers.push_back(&model);
    lineage.names.push_back(model.model_name);
  }
  TG_ASSIGN(const Kinships kinships, CompareInPairs(pointers, pairs, request.threads,
                                                    [&] { return CheckCancelled(listener); }));
  lineage.graph = GraphOf(pointers, kinships, {.threads = request.threads});
  for (size_t i = 0; i < lineage.graph.family_of_missing.size(); ++i) {
    lineage.names.push_back(fmt::format("missing model {}", i + 1));
  }
  if (!request.root) return lineage;
  const auto end = lineage.names.begin() + static_cast<std::ptrdiff_t>(lineage.graph.models);
  const auto found = std::find(lineage.names.begin(), end, *request.root);
  if (found == end) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "--root names no model among those given",
                 .found = *request.root,
                 .advice = "use a name as the tree without --root shows it"};
  }
  lineage.only_family =
      lineage.graph.family_of_model[static_cast<size_t>(found - lineage.names.begin())];
  return lineage;
}

size_t FamilyOf(const FamilyLineage& lineage, size_t node) {
  const FamilyGraph& graph = lineage.graph;
  return node < graph.models ? graph.family_of_model[node]
                             : graph.family_of_missing[node - graph.models];
}

std::vector<LineageLine> LinesOf(const FamilyLineage& lineage) { return Lines(lineage).Run(); }

std::vector<size_t> ModelsAlone(const FamilyLineage& lineage) {
  std::map<size_t, size_t> sizes;
  for (const size_t family : lineage.graph.family_of_model) ++sizes[family];
  std::vector<size_t> alone;
  for (size_t model = 0; model < lineage.graph.models; ++model) {
    const bool shown = IsShownFamily(lineage, model);
    if (shown && sizes[lineage.graph.family_of_model[model]] == 1) alone.push_back(model);
  }
  return alone;
}

std::string LineageToDot(const FamilyLineage& lineage) {
  std::string text = "digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n";
  for (size_t node = 0; node < lineage.names.size(); ++node) {
    const bool missing = node >= lineage.graph.models;
    if (!missing && !IsShownFamily(lineage, node)) continue;
    text += fmt::format("  {}{};\n", DotName(lineage.names[node]),
                        missing ? " [shape=ellipse, style=dashed]" : "");
  }
  for (const LineageEdge& edge : lineage.graph.edges) {
    if (!IsShownFamily(lineage, edge.child)) continue;
    std::string label =
        edge.kind == EdgeKind::kMerge
            ? fmt::format("{:.2f}", edge.weight)
            : std::string(edge.kind == EdgeKind::kSameFunction ? "same function" : "");
    text +=
        fmt::format("  {} -> {} [label=\"{}\"{}{}];\n", DotName(lineage.names[edge.parent]),
                    DotName(lineage.names[edge.child]), label, edge.directed ? "" : ", dir=none",
                    edge.certainty < kSureEdge ? ", style=dashed" : "");
  }
  return text + "}\n";
}

std::string LineageToSvg(const FamilyLineage& lineage) { return DrawLineage(DrawingOf(lineage)); }

std::string LineageToHtml(const FamilyLineage& lineage) {
  return DrawLineagePage(DrawingOf(lineage));
}

}  // namespace tensorguard::internal
