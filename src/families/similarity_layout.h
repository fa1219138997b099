// Models as points on a page, as far apart as they are unlike.
#ifndef TENSORGUARD_FAMILIES_SIMILARITY_LAYOUT_H_
#define TENSORGUARD_FAMILIES_SIMILARITY_LAYOUT_H_

#include <array>
#include <span>
#include <vector>

#include "families/similarity_matrix.h"

namespace tensorguard::internal {

// Two coordinates per model whose distances come near to sqrt(2 (1 - score)): metric scaling by
// majorisation (SMACOF, de Leeuw 1977), started with the families on a circle. Unlike the first two
// of the dimensions that EmbedSimilarities gives, it spreads families that are all equally unlike.
// Pairs without a score pull at nothing. REQUIRES: a family for each model.
std::vector<std::array<double, 2>> LayOutModels(const SimilarityMatrix& similarities,
                                                std::span<const size_t> family_of_model);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_SIMILARITY_LAYOUT_H_
