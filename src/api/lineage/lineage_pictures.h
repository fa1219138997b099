// The trees of a lineage as pictures, and as a graph for `dot`.
#ifndef TENSORGUARD_API_LINEAGE_LINEAGE_PICTURES_H_
#define TENSORGUARD_API_LINEAGE_LINEAGE_PICTURES_H_

#include <string>

#include "api/lineage/family_lineage.h"

namespace tensorguard::internal {

// For `dot`.
std::string LineageToDot(const FamilyLineage& lineage);
// Pictures of the trees: an SVG file, and a page with it for a browser.
std::string LineageToSvg(const FamilyLineage& lineage);
std::string LineageToHtml(const FamilyLineage& lineage);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LINEAGE_LINEAGE_PICTURES_H_
