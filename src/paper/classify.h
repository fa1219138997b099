// The paper's classification of an unknown model into a known family, or none.
#ifndef TENSORGUARD_PAPER_CLASSIFY_H_
#define TENSORGUARD_PAPER_CLASSIFY_H_

#include <span>
#include <string>
#include <vector>

#include "paper/feature_matrix.h"
#include "paper/paper_comparison.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// An unknown model is rejected when the nearest base model is farther than this, in standard
// deviations of the known models: the reference code's constant, given there without a reason.
// It rejects little: of the 58 published models, each with its whole family taken away from the
// known ones, it rejects 9 (docs/paper_profile.md).
inline constexpr double kRejectionDistance = 7;

struct ClassifyOptions {
  // Base models, each the start of a family by K-Means. Empty: every known model is a family of its
  // own.
  std::vector<std::string> center_names = {};
  MissingFeature missing = MissingFeature::kRefuse;
  double rejection_distance = kRejectionDistance;
};

struct FamilyCandidate {
  std::string name;                                    // of the base model
  double family_distance = 0;                          // to the mean of the family's members
  double base_distance = 0;                            // to the base model itself
  double score = 0;                                    // ScoreOfDistance(family_distance)
  PaperVerdict verdict = PaperVerdict::kInconclusive;  // on the unknown and the base model
};

struct Classification {
  bool known = false;                       // nearest_base_distance <= rejection_distance
  double nearest_base_distance = 0;         // of all base models
  std::vector<FamilyCandidate> candidates;  // nearest family first; the first one is the answer
  std::vector<ImputedFeature> imputed;
  std::vector<std::string> notes;
};

// Standardises by the known models, finds the nearest family and measures the distance to every
// base model. A family without members left (its base model moved to another) takes no part.
// Errors: those of BuildFeatureMatrix, PlaceInPopulation and ClusterByKMeans; kUsage for fewer than
// two known models, which have no scale.
Result<Classification> Classify(const PaperFeatures& unknown, std::span<const PaperFeatures> known,
                                const ClassifyOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_CLASSIFY_H_
