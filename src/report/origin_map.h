// A map of a model's parts, coloured by their origin in another model, for a page.
#ifndef TENSORGUARD_REPORT_ORIGIN_MAP_H_
#define TENSORGUARD_REPORT_ORIGIN_MAP_H_

#include <string>

#include "report/origin_grid.h"

namespace tensorguard::internal {

// An inline SVG: layers across, roles down, what lies outside of layers below as bars of their
// shares; with a legend. Every cell has its origin as a tooltip. `title` is raw text.
std::string DrawOriginMap(const OriginGrid& grid, const std::string& title);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REPORT_ORIGIN_MAP_H_
