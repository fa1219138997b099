#include "families/lineage/lineage_edge.h"

namespace tensorguard::internal {

std::string_view EdgeKindName(EdgeKind kind) {
  switch (kind) {
    case EdgeKind::kDescent:
      return "descent";
    case EdgeKind::kMerge:
      return "merge";
    case EdgeKind::kSameFunction:
      break;
  }
  return "same_function";
}

}  // namespace tensorguard::internal
