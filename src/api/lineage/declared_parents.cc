#include "api/lineage/declared_parents.h"

#include <algorithm>
#include <optional>

#include "api/inspection/declared_facts.h"
#include "api/models.h"
#include "api/reading/sources.h"

namespace tensorguard::internal {
namespace {

// After the last slash, in small letters: of "org/Name" that is "name".
std::string LastPart(std::string_view name) {
  while (name.ends_with('/')) name.remove_suffix(1);
  std::string last(name.substr(name.rfind('/') + 1));
  std::ranges::transform(last, last.begin(), [](unsigned char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a')
                                          : static_cast<char>(letter);
  });
  return last;
}

bool Names(const std::vector<std::string>& declared, const std::string& model) {
  return std::ranges::any_of(declared, [&](const std::string& each) {
    return each == model || LastPart(each) == LastPart(model);
  });
}

const std::vector<std::string>& DeclaredBy(size_t node,
                                           const std::vector<std::vector<std::string>>& declared) {
  static const std::vector<std::string> kNone;
  return node < declared.size() ? declared[node] : kNone;
}

}  // namespace

std::string_view DeclaredName(Declared declared) {
  switch (declared) {
    case Declared::kAgrees:
      return "agrees";
    case Declared::kContradicts:
      return "contradicts";
    case Declared::kElsewhere:
      return "not_among_these";
    case Declared::kNothing:
      break;
  }
  return "not_declared";
}

std::vector<std::vector<std::string>> DeclaredParentsOf(const std::vector<std::string>& sources,
                                                        const Session& session) {
  std::vector<std::vector<std::string>> declared;
  for (const std::string& source : sources) {
    declared.emplace_back();
    if (IsFingerprintFile(source)) continue;
    const auto model = OpenWithBase(source, {}, session);
    if (!model) continue;
    for (DeclaredBase& base : DeclaredBases(*model)) {
      declared.back().push_back(std::move(base.name));
    }
  }
  return declared;
}

Declared CompareWithDeclared(const LineageEdge& edge,
                             const std::vector<std::vector<std::string>>& declared,
                             const std::vector<std::string>& names) {
  const bool parent_is_here = edge.parent < declared.size();
  const bool turned = parent_is_here && Names(DeclaredBy(edge.parent, declared), names[edge.child]);
  // Of neighbours without a direction either may be the one that came from the other.
  if (turned) return edge.directed ? Declared::kContradicts : Declared::kAgrees;
  const std::vector<std::string>& own = DeclaredBy(edge.child, declared);
  if (own.empty()) return Declared::kNothing;
  if (parent_is_here && Names(own, names[edge.parent])) return Declared::kAgrees;
  for (size_t model = 0; model < declared.size(); ++model) {
    if (model != edge.child && Names(own, names[model])) return Declared::kContradicts;
  }
  return Declared::kElsewhere;
}

}  // namespace tensorguard::internal
