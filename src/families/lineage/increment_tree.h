// The tree of models of one build and one basis, from the squared distances of their matrices.
//
// Training adds steps that are nearly at right angles to the weights and to one another. So squared
// distances nearly add up along the tree, and of two models x and u of which u was trained on from
// x, the change of u since a common ancestor o holds the change of x whole, in every matrix alike.
// Of two siblings it holds as much as they learned alike, which differs from matrix to matrix.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_INCREMENT_TREE_H_
#define TENSORGUARD_FAMILIES_LINEAGE_INCREMENT_TREE_H_

#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "families/lineage/kinship.h"

namespace tensorguard::internal {

// What was made from a merge is this much nearer to it than to all that the merge was made from.
inline constexpr double kMuchNearerToMerge = 0.5;

// How two changes since one origin lie to each other, over the matrices.
struct HeldChange {
  double share = 0;   // of the one, what the other holds: <x - o, u - o> / |x - o|^2
  double cosine = 0;  // of the two changes
  // Deviation of the share over the matrices, beyond the sketches', over it; infinite where share
  // or cosine already speak against a descent.
  double uneven = 0;
  // Evener than any training leaves it: numbers of one of the two changes were dropped.
  bool evener_than_training = false;
};

class IncrementTree {
 public:
  // `members`: models of which every two have squared distances in `kinships`, which must outlive
  // the tree. `merges`: each merge with its parents, which it is not above.
  IncrementTree(std::span<const size_t> members, const Kinships& kinships,
                const std::map<size_t, std::set<size_t>>& merges);

  // `matrices`: which of them count, and how often: all once, or a sample of a bootstrap. `root`:
  // the root where it is known.
  void Build(std::span<const size_t> matrices, std::optional<size_t> root = {});

  // All matrices once, and no more than the root.
  void BuildRooted(size_t root);

  // Whether `model` may have been made from `x`, which was made from `origin`.
  bool ContinuesFrom(size_t origin, size_t x, size_t model) const;

  size_t root() const { return root_; }
  // Of every member but the root.
  const std::map<size_t, size_t>& parents() const { return parents_; }
  // How far the root is ahead of the next that may be it; infinite where it was given.
  double root_lead() const { return root_lead_; }

  double Distance(size_t a, size_t b) const;
  // Of the changes since `origin`; 0 where one did not change.
  double Cosine(size_t origin, size_t x, size_t u) const;
  HeldChange Held(size_t origin, size_t x, size_t u) const;
  // Median cosine of the changes of `model` and of the other members since `origin`, those that
  // come from either left out; empty where there are none.
  std::optional<double> SharedPath(size_t origin, size_t model) const;

 private:
  const std::vector<double>& Distances(size_t a, size_t b) const;
  double Product(size_t origin, size_t x, size_t u, size_t matrix) const;
  // Over the matrices, of what of u's change is not x's, over x's.
  double UnevennessOfOther(size_t origin, size_t x, size_t u, double share) const;
  void AddUp(std::span<const size_t> matrices);
  void ChooseRoot();
  double ScoreAsRoot(size_t candidate) const;
  void Place(size_t origin, const std::vector<size_t>& models);
  std::optional<size_t> BestBetween(size_t origin, size_t model,
                                    const std::vector<size_t>& models) const;
  bool IsBelow(size_t model, size_t ancestor) const;

  std::vector<size_t> members_;
  const Kinships& kinships_;
  const std::map<size_t, std::set<size_t>>& merges_;
  std::vector<size_t> matrices_ = {};
  std::map<std::pair<size_t, size_t>, double> totals_ = {};
  size_t root_ = 0;
  double root_lead_ = std::numeric_limits<double>::infinity();
  std::map<size_t, size_t> parents_ = {};
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_INCREMENT_TREE_H_
