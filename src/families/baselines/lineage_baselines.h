// What simpler rules take for the parents of models, to hold ours against.
#ifndef TENSORGUARD_FAMILIES_BASELINES_LINEAGE_BASELINES_H_
#define TENSORGUARD_FAMILIES_BASELINES_LINEAGE_BASELINES_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "families/lineage/family_graph.h"
#include "families/lineage/kinship.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

struct BaselineTrees {
  std::string_view name = {};                       // as in JSON
  std::vector<std::optional<size_t>> parents = {};  // of each model
};

// Families are those of the graph; each rule names one parent, always with a direction:
// - "nearest": the relative of the nearest weights, else of the nearest answers;
// - "distances": the tree of least 1 - score;
// - "kurtosis": MoTHer (Horwitz et al. 2024, arXiv 2405.18432): the tree of least distances between
//   weights, where a step to smaller kurtosis costs 0.3 of the mean distance. Kurtosis is taken
//   from quantiles of each matrix (Crow and Siddiqui 1967): fingerprints hold no fourth moments.
std::vector<BaselineTrees> BaselinesOf(std::span<const Fingerprint* const> models,
                                       const FamilyGraph& graph, const Kinships& kinships);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_BASELINES_LINEAGE_BASELINES_H_
