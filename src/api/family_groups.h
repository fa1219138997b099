// Families among many models by the full profile: by how alike the models' layers answer.
#ifndef TENSORGUARD_API_FAMILY_GROUPS_H_
#define TENSORGUARD_API_FAMILY_GROUPS_H_

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/family_request.h"
#include "api/reading/gathering.h"
#include "api/session.h"
#include "drawing/canvas.h"
#include "families/similarity_matrix.h"
#include "fingerprint/fingerprint.h"
#include "numerics/principal_components.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct FamilyGroups {
  std::string method = {};  // "hierarchical" without centers, else a CenterMethodName
  std::vector<std::string> model_names = {};
  std::vector<std::string> centers = {};  // a name per family
  std::vector<size_t> family_of_model = {};
  std::optional<double> silhouette = {};
  // Empty where some pair cannot be compared, or there are fewer than two dimensions.
  std::optional<PrincipalPlane> plane = {};
  std::vector<std::array<double, 2>> layout = {};  // for a picture
  Shortfall shortfall = {};
};

// Compares all models that can be read with each other. Without centers there are as many families
// as there are. Errors: kMismatch for two models of one name; those of CompareFingerprints,
// EmbedSimilarities and ClusterAroundCenters.
Result<FamilyGroups> FindFamilyGroups(const FamilyRequest& request, const Session& session);

// The same of fingerprints at hand; `request.models` is not looked at.
Result<FamilyGroups> GroupPrints(std::span<const Fingerprint> models, const FamilyRequest& request,
                                 const Listener& listener);

// Scores of every pair. Errors: kMismatch for two models of one name; kCancelled; those of
// CompareFingerprints.
Result<SimilarityMatrix> CompareAll(std::span<const Fingerprint> models, unsigned threads,
                                    const Listener& listener);

std::vector<std::string> MembersOf(const FamilyGroups& groups, size_t family);

// The bytes of a picture. Errors: those of DrawScatterPlot.
Result<std::string> DrawFamilyGroups(const FamilyGroups& groups, ImageFormat format);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_FAMILY_GROUPS_H_
