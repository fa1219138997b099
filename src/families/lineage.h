// The way from a model over known relatives to the root of its family.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_H_
#define TENSORGUARD_FAMILIES_LINEAGE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace tensorguard {

// Squared distance between the weights of two of a family's known models, by their numbers; empty
// where they cannot be subtracted (other shapes).
using SquaredDistance = std::function<std::optional<double>(size_t a, size_t b)>;

// From `nearest`, the known model that an unknown one is nearest to, to the root of the family;
// both included. The `models` known ones are numbered from 0.
//
// What training adds at a step is nearly orthogonal to what was added before, so that squared
// distances add up along the steps of a family tree, and the tree is the minimum spanning tree
// (Kruskal 1956) of the squared distances. A tree found so has no root: it is taken to be the model
// with most neighbours, of equally many the one more steps away from `nearest`: bases have many
// children, and a model is asked about after its ancestors are known. Of still equal ones the one
// with the lowest number. REQUIRES: nearest < models.
std::vector<size_t> TraceLineage(size_t models, size_t nearest,
                                 const SquaredDistance& squared_distance);

}  // namespace tensorguard

#endif  // TENSORGUARD_FAMILIES_LINEAGE_H_
