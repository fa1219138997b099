#include "families/lineage/place_in_family.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/try.h"
#include "families/lineage/family_graph.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kUnknown = 0;  // in the graph; relative i is i + 1

Result<Kinships> KinshipsOf(const std::vector<const Fingerprint*>& models,
                            std::span<const Relative> relatives, unsigned threads) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t b = 2; b < models.size(); ++b) {
    for (size_t a = 1; a < b; ++a) pairs.emplace_back(a, b);
  }
  TG_ASSIGN(Kinships kinships, CompareInPairs(models, pairs, threads));
  for (size_t i = 0; i < relatives.size(); ++i) {
    kinships.Add(kUnknown, i + 1,
                 KinshipOf(*models[kUnknown], *models[i + 1], *relatives[i].with_unknown));
  }
  return kinships;
}

// The nearest by weights in one basis, else by score.
size_t NearestRelative(const Kinships& kinships, size_t relatives) {
  std::optional<size_t> nearest;
  for (size_t i = 1; i <= relatives; ++i) {
    const auto& distance = kinships.Between(kUnknown, i)->distance;
    if (!distance) continue;
    if (!nearest || *distance < *kinships.Between(kUnknown, *nearest)->distance) nearest = i;
  }
  return nearest.value_or(1);
}

bool IsShown(const std::vector<const LineageEdge*>& parents, size_t models) {
  return !parents.empty() &&
         std::all_of(parents.begin(), parents.end(), [&](const LineageEdge* edge) {
           return edge->directed && edge->parent < models;
         });
}

std::optional<MergeExplanation> MergeOf(const FamilyGraph& graph,
                                        std::span<const Relative> relatives) {
  const auto found = graph.merges.find(kUnknown);
  if (found == graph.merges.end()) return {};
  MergeExplanation merge = found->second;
  for (MergeParent& parent : merge.parents)
    parent.candidate = relatives[parent.candidate - 1].known;
  return merge;
}

// From the parent on, while each step has a direction.
std::vector<size_t> ChainFrom(const FamilyGraph& graph, size_t parent,
                              std::span<const Relative> relatives) {
  std::vector<size_t> chain;
  for (size_t at = parent; chain.size() < relatives.size();) {
    chain.push_back(relatives[at - 1].known);
    const auto above = graph.ParentsOf(at);
    if (!IsShown(above, graph.models) || above.front()->parent == kUnknown) break;
    at = above.front()->parent;
  }
  return chain;
}

}  // namespace

Result<PlaceInFamily> FindPlaceInFamily(const Fingerprint& unknown,
                                        std::span<const Fingerprint> known,
                                        std::span<const Relative> relatives, unsigned threads) {
  assert(!relatives.empty());
  std::vector<const Fingerprint*> models = {&unknown};
  for (const Relative& relative : relatives) models.push_back(&known[relative.known]);
  TG_ASSIGN(const Kinships kinships, KinshipsOf(models, relatives, threads));
  const FamilyGraph graph = GraphOf(models, kinships, {.threads = threads});
  const auto parents = graph.ParentsOf(kUnknown);
  const bool hangs_at_model = !parents.empty() && parents.front()->parent < models.size();
  const size_t closest =
      hangs_at_model ? parents.front()->parent : NearestRelative(kinships, relatives.size());
  PlaceInFamily place{.closest = relatives[closest - 1].known,
                      .parent_missing = !parents.empty() && !hangs_at_model,
                      .same_function = kinships.Between(kUnknown, closest)->same_function,
                      .merge = MergeOf(graph, relatives)};
  if (IsShown(parents, models.size())) {
    place.lineage = ChainFrom(graph, parents.front()->parent, relatives);
    place.certainty = parents.front()->certainty;
  }
  return place;
}

}  // namespace tensorguard::internal
