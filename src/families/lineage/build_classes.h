// Models of one family that are of one build and in one basis.
#ifndef TENSORGUARD_FAMILIES_LINEAGE_BUILD_CLASSES_H_
#define TENSORGUARD_FAMILIES_LINEAGE_BUILD_CLASSES_H_

#include <cstddef>
#include <span>
#include <vector>

#include "families/lineage/kinship.h"

namespace tensorguard::internal {

// Models that are linked by relations of a kind, each set ascending, by its first model.
std::vector<std::vector<size_t>> FamiliesOf(size_t models, const Kinships& kinships);

// Of a family: sets of which every two have squared distances; a model joins the first set whose
// members all have them with it.
std::vector<std::vector<size_t>> BuildClassesOf(std::span<const size_t> family,
                                                const Kinships& kinships);

// Of a family: sets of one function, two or more each.
std::vector<std::vector<size_t>> FunctionGroupsOf(std::span<const size_t> family,
                                                  const Kinships& kinships);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FAMILIES_LINEAGE_BUILD_CLASSES_H_
