#include "api/paper/paper_families.h"

#include <fmt/format.h>

#include <utility>

#include "api/paper/features.h"
#include "api/reading/distinct_names.h"
#include "base/try.h"
#include "drawing/scatter_plot.h"
#include "families/silhouette.h"

namespace tensorguard::internal {
namespace {

Result<PaperFamilies> FindAmong(const std::vector<PaperFeatures>& features,
                                const FamilyRequest& request, MissingFeature missing) {
  TG_ASSIGN(auto matrix, BuildFeatureMatrix(features, missing));
  TG_ASSIGN(auto clustering, ClusterAroundCenters(matrix, request));
  if (matrix.points.columns() < 2) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "the models have fewer than two features",
                 .found = fmt::format("{}", matrix.points.columns())};
  }
  TG_ASSIGN(auto plane, FindPrincipalPlane(matrix.points));
  const auto silhouette = Silhouette(matrix.points, clustering.cluster_of_model);
  return PaperFamilies{.method = request.method,
                       .matrix = std::move(matrix),
                       .clustering = std::move(clustering),
                       .silhouette = silhouette,
                       .plane = std::move(plane)};
}

}  // namespace

std::vector<std::string> PaperFamilies::members_of(size_t cluster) const {
  std::vector<std::string> members;
  for (size_t i = 0; i < matrix.model_names.size(); ++i) {
    if (clustering.cluster_of_model[i] == cluster) members.push_back(matrix.model_names[i]);
  }
  return members;
}

Result<PaperFamilies> FindFamiliesByPaper(const FamilyRequest& request, MissingFeature missing,
                                          const Session& session) {
  TG_ASSIGN(auto all, FeaturesOfAll(request.models, {.threads = request.threads}, session));
  NamesToTellApart names;
  names.AddAll(all.read, all.sources);
  names.TellApart();
  auto families = FindAmong(all.read, request, missing);
  if (families) families->shortfall = std::move(all.shortfall);
  return families;
}

Result<std::string> DrawPaperFamilies(const PaperFamilies& families, ImageFormat format) {
  ScatterPlot plot = {.title = "Families by the paper profile",
                      .family_names = families.clustering.center_names,
                      .points = {},
                      .explained = families.plane.explained};
  for (size_t i = 0; i < families.matrix.model_names.size(); ++i) {
    plot.points.push_back({.name = families.matrix.model_names[i],
                           .x = families.plane.coordinates[i][0],
                           .y = families.plane.coordinates[i][1],
                           .family = families.clustering.cluster_of_model[i],
                           .is_center = families.center_of(i) == families.matrix.model_names[i]});
  }
  return DrawScatterPlot(plot, format);
}

}  // namespace tensorguard::internal
