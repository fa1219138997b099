// The way from a model over known relatives to the root of its family.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_H_
#define TENSORGUARD_FAMILIES_LINEAGE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace tensorguard {

// Squared distance between the weights of two of `count` relatives; empty where they cannot be
// subtracted (other shapes).
using SquaredDistance = std::function<std::optional<double>(size_t a, size_t b)>;

struct Lineage {
  // From the unknown model's nearest relative to the root of the family; never empty. One entry:
  // the nearest relative is the root.
  std::vector<size_t> ancestors;
};

// `relatives` known models of one family, numbered from 0, and the unknown one with the number
// `relatives`. What training adds at each step is nearly orthogonal to what was added before, so
// squared distances add up along the steps of a family tree, and the tree is the minimum spanning
// tree (Kruskal 1956) of the squared distances. A tree found so has no root: the root is taken to
// be the known model with most known neighbours, of equally many the one more steps away from the
// unknown model, of those the farther one: bases have many children, and a model is asked about
// after its ancestors are known.
// Empty if the unknown model has no distance to any relative. REQUIRES: relatives > 0.
std::optional<Lineage> TraceLineage(size_t relatives, const SquaredDistance& squared_distance);

}  // namespace tensorguard

#endif  // TENSORGUARD_FAMILIES_LINEAGE_H_
