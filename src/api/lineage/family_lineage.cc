#include "api/lineage/family_lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/cancellable_weights.h"
#include "api/fingerprints.h"
#include "api/reading/distinct_names.h"
#include "base/parallel.h"
#include "base/try.h"
#include "families/shortlist.h"
#include "fingerprint/screening.h"

namespace tensorguard::internal {
namespace {

std::vector<std::pair<size_t, size_t>> AllPairs(size_t models) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t b = 1; b < models; ++b) {
    for (size_t a = 0; a < b; ++a) pairs.emplace_back(a, b);
  }
  return pairs;
}

// Each model with those that its signature is nearest to.
Result<std::vector<std::pair<size_t, size_t>>> NearPairs(const std::vector<Fingerprint>& models,
                                                         unsigned threads) {
  std::vector<ScreeningSignature> signatures;
  for (const Fingerprint& model : models) signatures.push_back(ScreeningOf(model));
  std::vector<std::vector<size_t>> nearest(models.size());
  TG_TRY(ParallelFor(models.size(), threads, [&](size_t i) -> Result<void> {
    nearest[i] = ShortlistOf(signatures[i], signatures, 1);
    return {};
  }));
  std::set<std::pair<size_t, size_t>> pairs;
  for (size_t i = 0; i < models.size(); ++i) {
    for (const size_t j : nearest[i]) {
      if (i != j) pairs.insert(std::minmax({i, j}));
    }
  }
  return std::vector<std::pair<size_t, size_t>>(pairs.begin(), pairs.end());
}

Result<std::vector<std::pair<size_t, size_t>>> PairsToCompare(
    const std::vector<Fingerprint>& models, unsigned threads) {
  if (models.size() <= kFewKnownModels) return AllPairs(models.size());
  return NearPairs(models, threads);
}

Result<void> CheckSizeForBaselines(const FamilyGraph& graph) {
  std::map<size_t, size_t> sizes;
  for (const size_t family : graph.family_of_model) {
    if (++sizes[family] <= kMostForBaselines) continue;
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a family is too large for --baseline",
                 .expected = fmt::format("{} models at most", kMostForBaselines),
                 .advice = "leave out --baseline, or name fewer models"};
  }
  return {};
}

void LeaveOutUncertain(double min_certainty, FamilyLineage* lineage) {
  std::vector<LineageEdge> kept;
  for (LineageEdge& edge : lineage->graph.edges) {
    (edge.certainty < min_certainty ? lineage->uncertain : kept).push_back(std::move(edge));
  }
  lineage->graph.edges = std::move(kept);
}

}  // namespace

Result<FamilyLineage> TraceFamilies(const LineageRequest& request, const Session& session) {
  TG_ASSIGN(auto all, FingerprintsOfAll(request.known, {.threads = request.threads}, session));
  if (all.read.empty() && all.shortfall.errors.empty()) {
    return Error{.kind = ErrorKind::kUsage, .problem = "there is no model to trace"};
  }
  NamesToTellApart names;
  names.AddAll(all.read, all.sources);
  names.TellApart();
  TG_ASSIGN(auto lineage, TracePrints(all.read, request, session.listener));
  lineage.declared = DeclaredParentsOf(all.sources, session);
  lineage.shortfall = std::move(all.shortfall);
  return lineage;
}

Result<FamilyLineage> TracePrints(const std::vector<Fingerprint>& models,
                                  const LineageRequest& request, const Listener& listener) {
  TG_ASSIGN(const auto pairs, PairsToCompare(models, request.threads));
  FamilyLineage lineage;
  std::vector<const Fingerprint*> pointers;
  for (const Fingerprint& model : models) {
    pointers.push_back(&model);
    lineage.names.push_back(model.model_name);
  }
  TG_ASSIGN(const Kinships kinships, CompareInPairs(pointers, pairs, request.threads,
                                                    [&] { return CheckCancelled(listener); }));
  lineage.graph = GraphOf(pointers, kinships, {.threads = request.threads});
  if (request.baselines) {
    TG_TRY(CheckSizeForBaselines(lineage.graph));
    lineage.baselines = BaselinesOf(pointers, lineage.graph, kinships);
  }
  LeaveOutUncertain(request.min_certainty, &lineage);
  for (size_t i = 0; i < lineage.graph.family_of_missing.size(); ++i) {
    lineage.names.push_back(fmt::format("missing model {}", i + 1));
  }
  if (!request.root) return lineage;
  const auto end = lineage.names.begin() + static_cast<std::ptrdiff_t>(lineage.graph.models);
  const auto found = std::find(lineage.names.begin(), end, *request.root);
  if (found == end) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "--root names no model among those given",
                 .found = *request.root,
                 .advice = "use a name as the tree without --root shows it"};
  }
  lineage.only_family =
      lineage.graph.family_of_model[static_cast<size_t>(found - lineage.names.begin())];
  return lineage;
}

bool IsShown(const FamilyLineage& lineage, size_t family) {
  return !lineage.only_family || *lineage.only_family == family;
}

size_t FamilyOf(const FamilyLineage& lineage, size_t node) {
  const FamilyGraph& graph = lineage.graph;
  return node < graph.models ? graph.family_of_model[node]
                             : graph.family_of_missing[node - graph.models];
}

}  // namespace tensorguard::internal
