// What cards and configs say that models come from, held against what was measured. It never
// changes what is measured.
#ifndef TENSORGUARD_API_LINEAGE_DECLARED_PARENTS_H_
#define TENSORGUARD_API_LINEAGE_DECLARED_PARENTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/session.h"
#include "families/lineage/lineage_edge.h"

namespace tensorguard::internal {

enum class Declared {
  kNothing,      // the model names no parent
  kAgrees,       // it names the parent that was measured
  kContradicts,  // it names another of the models
  kElsewhere,    // it names none of the models
};

// "not_declared", "agrees", "contradicts", "not_among_these".
std::string_view DeclaredName(Declared declared);

// Of each source the bases that the files beside the model name; raw. A fingerprint file has none,
// and neither has what cannot be read.
std::vector<std::vector<std::string>> DeclaredParentsOf(const std::vector<std::string>& sources,
                                                        const Session& session);

// `declared`: by model; empty where nothing is known of any. `names`: of the nodes. A declared name
// is that of a model if its last part is, in letters of either case.
Declared CompareWithDeclared(const LineageEdge& edge,
                             const std::vector<std::vector<std::string>>& declared,
                             const std::vector<std::string>& names);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_LINEAGE_DECLARED_PARENTS_H_
