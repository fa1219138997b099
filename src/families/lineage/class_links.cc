#include "families/lineage/class_links.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace tensorguard::internal {
namespace {

// Of what is as near as this to the nearest, the one nearest to the root of the family.
constexpr double kAsNear = 1.1;
// By steps, a model came before another at worse odds than this: no parent.
constexpr double kLaterThanChild = 0.5;
constexpr double kWeightOfSize = 0.2;

struct Link {
  size_t tree = 0;
  size_t parent = 0;
  size_t child = 0;
  bool same_function = false;
  double distance = std::numeric_limits<double>::infinity();
};

// Weights in one basis tell more than answers, whatever their distances.
double DistanceOf(const Kinship& kinship) {
  return kinship.distance ? *kinship.distance : 10 + kinship.answers;
}

class Linking {
 public:
  Linking(const std::vector<ClassTree>& trees, const Kinships& kinships) : kinships_(kinships) {
    links_.trees = trees;
    left_.resize(trees.size());
    for (size_t i = 0; i < trees.size(); ++i) left_[i] = true;
    links_.top = Top();
    Attach(links_.top, 0);
  }

  ClassLinks Run() {
    while (const auto link = Nearest()) {
      ClassTree& tree = links_.trees[link->tree];
      if (tree.root != link->child) Reroot(tree, link->child);
      links_.edges.push_back(EdgeOf(*link));
      if (tree.missing_parent) HangChildrenAt(link->parent, links_.edges.back(), tree);
      for (LineageEdge& edge : tree.edges) HangAtNearer(&edge);
      Attach(link->tree, depth_.at(link->parent) + 1);
    }
    return std::move(links_);
  }

 private:
  size_t Top() const {
    size_t top = 0;
    double best = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < links_.trees.size(); ++i) {
      double score = kWeightOfSize * std::log(static_cast<double>(links_.trees[i].members.size()));
      for (size_t j = 0; j < links_.trees.size(); ++j) {
        if (i == j) continue;
        score += std::tanh(kinships_.OddsBySteps(links_.trees[i].root, links_.trees[j].root));
      }
      if (score <= best) continue;
      best = score;
      top = i;
    }
    return top;
  }

  void Attach(size_t tree, size_t depth) {
    left_[tree] = false;
    const ClassTree& own = links_.trees[tree];
    depth_[own.root] = depth;
    // Edges are by child, not by depth: as often as the deepest chain needs.
    for (size_t round = 0; round < own.edges.size(); ++round) {
      for (const LineageEdge& edge : own.edges) {
        if (depth_.contains(edge.parent)) depth_[edge.child] = depth_.at(edge.parent) + 1;
      }
    }
  }

  // The nearest link of all that is left; empty where nothing is left.
  std::optional<Link> Nearest() const {
    std::optional<Link> best;
    for (size_t tree = 0; tree < links_.trees.size(); ++tree) {
      if (!left_[tree]) continue;
      const auto link = LinkOf(tree);
      if (link && (!best || Nearer(*link, *best))) best = link;
    }
    return best;
  }

  static bool Nearer(const Link& x, const Link& y) {
    if (x.same_function != y.same_function) return x.same_function;
    return x.distance < y.distance;
  }

  std::optional<Link> LinkOf(size_t tree) const {
    const ClassTree& own = links_.trees[tree];
    std::optional<Link> best;
    for (const size_t child : own.members) {
      for (const auto& [parent, depth] : depth_) {
        const Kinship* kinship = kinships_.Between(parent, child);
        if (kinship == nullptr || !kinship->related) continue;
        if (!kinship->same_function && child != own.root) continue;
        const Link link{.tree = tree,
                        .parent = parent,
                        .child = child,
                        .same_function = kinship->same_function,
                        .distance = PenalisedDistance(*kinship, parent, child)};
        if (!best || Before(link, *best)) best = link;
      }
    }
    if (best) return best;
    return AnyLink(tree);
  }

  double PenalisedDistance(const Kinship& kinship, size_t parent, size_t child) const {
    const bool later = kinships_.OddsBySteps(parent, child) < -kLaterThanChild;
    return later ? 100 + DistanceOf(kinship) : DistanceOf(kinship);
  }

  // The nearer; of two as near the one with less above it.
  bool Before(const Link& x, const Link& y) const {
    if (x.same_function != y.same_function) return x.same_function;
    const bool as_near = x.distance <= kAsNear * y.distance && y.distance <= kAsNear * x.distance;
    if (as_near && depth_.at(x.parent) != depth_.at(y.parent)) {
      return depth_.at(x.parent) < depth_.at(y.parent);
    }
    return x.distance < y.distance;
  }

  // Where the root itself is related to nothing that hangs there, any member that is.
  std::optional<Link> AnyLink(size_t tree) const {
    std::optional<Link> best;
    for (const size_t child : links_.trees[tree].members) {
      for (const auto& [parent, depth] : depth_) {
        const Kinship* kinship = kinships_.Between(parent, child);
        if (kinship == nullptr || !kinship->related) continue;
        if (best && DistanceOf(*kinship) >= best->distance) continue;
        best = Link{.tree = tree,
                    .parent = parent,
                    .child = links_.trees[tree].root,
                    .distance = DistanceOf(*kinship)};
      }
    }
    return best;
  }

  // What the root and its siblings come from is not missing, but of another build.
  static void HangChildrenAt(size_t parent, const LineageEdge& edge_of_root, ClassTree& tree) {
    for (LineageEdge& edge : tree.edges) {
      if (edge.parent != tree.root) continue;
      edge.parent = parent;
      edge.directed = edge_of_root.directed;
    }
    tree.missing_parent.reset();
  }

  // What was made from models of another build in one way alike is not made from each other.
  void HangAtNearer(LineageEdge* edge) const {
    const Kinship* own = kinships_.Between(edge->parent, edge->child);
    if (own == nullptr || own->same_function || edge->directed || !own->distance) return;
    std::optional<Link> best;
    for (const auto& [parent, depth] : depth_) {
      const Kinship* kinship = kinships_.Between(parent, edge->child);
      if (kinship == nullptr || !kinship->related || !kinship->distance) continue;
      const double distance = PenalisedDistance(*kinship, parent, edge->child);
      if (kAsNear * distance >= (best ? best->distance : *own->distance)) continue;
      best = Link{.parent = parent, .child = edge->child, .distance = distance};
    }
    if (best) *edge = EdgeOf(*best);
  }

  void Reroot(ClassTree& tree, size_t root) const {
    // The edges on the way from the new root to the old one turn round.
    size_t child = root;
    std::optional<LineageEdge> turned;
    while (child != tree.root) {
      const auto edge = std::find_if(tree.edges.begin(), tree.edges.end(),
                                     [&](const LineageEdge& each) { return each.child == child; });
      LineageEdge next = *edge;
      std::swap(next.child, next.parent);
      next.directed = false;
      next.runner_up.reset();
      const size_t above = next.child;
      tree.edges.erase(edge);
      if (turned) tree.edges.push_back(*turned);
      turned = next;
      child = above;
    }
    if (turned) tree.edges.push_back(*turned);
    tree.root = root;
    tree.missing_parent.reset();
  }

  LineageEdge EdgeOf(const Link& link) const {
    LineageEdge edge{.child = link.child,
                     .parent = link.parent,
                     .kind = link.same_function ? EdgeKind::kSameFunction : EdgeKind::kDescent,
                     .directed = kinships_.Told(link.parent, link.child)};
    double second = std::numeric_limits<double>::infinity();
    for (const auto& [other, depth] : depth_) {
      const Kinship* kinship = kinships_.Between(other, link.child);
      if (other == link.parent || kinship == nullptr || !kinship->related) continue;
      const double distance = PenalisedDistance(*kinship, other, link.child);
      if (distance >= second) continue;
      second = distance;
      edge.runner_up = other;
    }
    edge.certainty = link.same_function ? 0.99 : Certainty(link.distance, second);
    return edge;
  }

  static double Certainty(double first, double second) {
    if (std::isinf(second)) return 0.9;
    const double floor = 1e-9;
    return (second * second + floor) / (first * first + second * second + 2 * floor);
  }

  const Kinships& kinships_;
  ClassLinks links_ = {};
  std::vector<bool> left_ = {};
  std::map<size_t, size_t> depth_ = {};  // of the models that hang there
};

}  // namespace

ClassLinks LinkClasses(const std::vector<ClassTree>& trees, const Kinships& kinships) {
  return Linking(trees, kinships).Run();
}

}  // namespace tensorguard::internal
