#include "api/family_groups.h"

#include <fmt/format.h>

#include <utility>

#include "api/cancellable_weights.h"
#include "api/fingerprints.h"
#include "api/reading/distinct_names.h"
#include "base/parallel.h"
#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "comparison/thresholds.h"
#include "drawing/scatter_plot.h"
#include "families/silhouette.h"
#include "families/similarity_layout.h"

namespace tensorguard::internal {
namespace {

// The member with the highest sum of scores with its family.
std::string CenterOf(const SimilarityMatrix& similarities, const Families& families,
                     size_t family) {
  std::optional<size_t> center;
  double highest = 0;
  const auto& names = similarities.model_names();
  for (size_t i = 0; i < names.size(); ++i) {
    if (families.family_of_model[i] != family) continue;
    double sum = 0;
    for (size_t j = 0; j < names.size(); ++j) {
      if (families.family_of_model[j] == family) sum += similarities.Score(i, j).value_or(0);
    }
    if (center && sum <= highest) continue;
    center = i;
    highest = sum;
  }
  return names[*center];
}

FamilyGroups GroupByLikeness(const SimilarityMatrix& similarities) {
  const Families families = FindFamilies(similarities, kDerivedScore);
  FamilyGroups groups = {.method = "hierarchical",
                         .model_names = similarities.model_names(),
                         .family_of_model = families.family_of_model,
                         .silhouette = families.silhouette};
  for (size_t family = 0; family < families.count; ++family) {
    groups.centers.push_back(CenterOf(similarities, families, family));
  }
  return groups;
}

Result<FamilyGroups> GroupAroundCenters(const ModelPoints& embedding,
                                        const FamilyRequest& request) {
  TG_ASSIGN(auto clustering, ClusterAroundCenters(embedding, request));
  return FamilyGroups{.method = std::string(CenterMethodName(request.method)),
                      .model_names = embedding.model_names,
                      .centers = clustering.center_names,
                      .family_of_model = clustering.cluster_of_model,
                      .silhouette = Silhouette(embedding.points, clustering.cluster_of_model)};
}

}  // namespace

Result<SimilarityMatrix> CompareAll(std::span<const Fingerprint> models, unsigned threads,
                                    const Listener& listener) {
  std::vector<std::string> names;
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t i = 0; i < models.size(); ++i) {
    names.push_back(models[i].model_name);
    for (size_t j = 0; j < i; ++j) {
      if (names[j] == names[i]) {
        return Error{.kind = ErrorKind::kMismatch,
                     .problem = fmt::format("two models are named \"{}\"", names[i])};
      }
      pairs.emplace_back(j, i);
    }
  }
  std::vector<std::optional<double>> scores(pairs.size());
  auto done = ParallelFor(pairs.size(), threads, [&](size_t i) -> Result<void> {
    if (auto going = CheckCancelled(listener); !going) return going;
    TG_ASSIGN(const auto comparison,
              CompareFingerprints(models[pairs[i].first], models[pairs[i].second]));
    scores[i] = comparison.score;
    return {};
  });
  if (!done) return std::move(done).error();
  SimilarityMatrix similarities(std::move(names));
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (scores[i]) similarities.SetScore(pairs[i].first, pairs[i].second, *scores[i]);
  }
  return similarities;
}

Result<FamilyGroups> GroupPrints(std::span<const Fingerprint> models, const FamilyRequest& request,
                                 const Listener& listener) {
  TG_ASSIGN(const auto similarities, CompareAll(models, request.threads, listener));
  const auto embedding = EmbedSimilarities(similarities);
  if (!request.centers.empty() && !embedding) return embedding.error();
  auto groups = request.centers.empty() ? Result<FamilyGroups>(GroupByLikeness(similarities))
                                        : GroupAroundCenters(*embedding, request);
  if (!groups) return groups;
  groups->layout = LayOutModels(similarities, groups->family_of_model);
  if (embedding && embedding->points.columns() >= 2) {
    TG_ASSIGN(auto plane, FindPrincipalPlane(embedding->points));
    groups->plane = std::move(plane);
  }
  return groups;
}

Result<FamilyGroups> FindFamilyGroups(const FamilyRequest& request, const Session& session) {
  TG_ASSIGN(auto all, FingerprintsOfAll(request.models, {.threads = request.threads}, session));
  NamesToTellApart names;
  names.AddAll(all.read, all.sources);
  names.TellApart();
  auto groups = GroupPrints(all.read, request, session.listener);
  if (groups) groups->shortfall = std::move(all.shortfall);
  return groups;
}

std::vector<std::string> MembersOf(const FamilyGroups& groups, size_t family) {
  std::vector<std::string> members;
  for (size_t i = 0; i < groups.model_names.size(); ++i) {
    if (groups.family_of_model[i] == family) members.push_back(groups.model_names[i]);
  }
  return members;
}

Result<std::string> DrawFamilyGroups(const FamilyGroups& groups, ImageFormat format) {
  ScatterPlot plot = {.title = "Families by the full profile",
                      .family_names = groups.centers,
                      .points = {},
                      .center_label = "centre"};
  for (size_t i = 0; i < groups.model_names.size(); ++i) {
    const size_t family = groups.family_of_model[i];
    plot.points.push_back({.name = groups.model_names[i],
                           .x = groups.layout[i][0],
                           .y = groups.layout[i][1],
                           .family = family,
                           .is_center = groups.centers[family] == groups.model_names[i]});
  }
  return DrawScatterPlot(plot, format);
}

}  // namespace tensorguard::internal
