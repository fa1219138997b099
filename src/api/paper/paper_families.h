// The paper's families around given models.
#ifndef TENSORGUARD_API_PAPER_PAPER_FAMILIES_H_
#define TENSORGUARD_API_PAPER_PAPER_FAMILIES_H_

#include <optional>
#include <string>
#include <vector>

#include "api/family_request.h"
#include "api/reading/gathering.h"
#include "api/session.h"
#include "drawing/canvas.h"
#include "numerics/principal_components.h"
#include "paper/feature_matrix.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct PaperFamilies {
  CenterMethod method = CenterMethod::kKMeans;
  FeatureMatrix matrix;
  Clustering clustering;
  std::optional<double> silhouette;
  PrincipalPlane plane;
  Shortfall shortfall = {};

  const std::string& center_of(size_t model) const {
    return clustering.center_names[clustering.cluster_of_model[model]];
  }
  std::vector<std::string> members_of(size_t cluster) const;
};

// Errors: kMismatch for fewer than two features; those of BuildFeatureMatrix and
// ClusterAroundCenters.
Result<PaperFamilies> FindFamiliesByPaper(const FamilyRequest& request, MissingFeature missing,
                                          const Session& session);

// The bytes of a picture. Errors: those of DrawScatterPlot.
Result<std::string> DrawPaperFamilies(const PaperFamilies& families, ImageFormat format);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_PAPER_PAPER_FAMILIES_H_
