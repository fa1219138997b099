#include "paper/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/try.h"
#include "families/clustering.h"

namespace tensorguard::internal {
namespace {

// The known models' families; without centres, each model is one.
Result<Clustering> FamiliesOf(const FeatureMatrix& known, const ClassifyOptions& options) {
  if (!options.center_names.empty()) {
    return ClusterByKMeans(known, {.center_names = options.center_names});
  }
  Clustering families{.center_names = known.model_names, .means = known.points};
  families.cluster_of_model.resize(known.model_names.size());
  std::iota(families.cluster_of_model.begin(), families.cluster_of_model.end(), size_t{0});
  return families;
}

size_t IndexOf(const FeatureMatrix& matrix, const std::string& name) {
  const auto& names = matrix.model_names;
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::vector<FamilyCandidate> CandidatesOf(const PaperFeatures& unknown, const PlacedModel& placed,
                                          std::span<const PaperFeatures> known,
                                          const FeatureMatrix& matrix, const Clustering& families) {
  std::vector<FamilyCandidate> candidates;
  for (size_t family = 0; family < families.center_names.size(); ++family) {
    const auto& members = families.cluster_of_model;
    if (std::find(members.begin(), members.end(), family) == members.end()) continue;
    FamilyCandidate candidate{.name = families.center_names[family]};
    const size_t base = IndexOf(matrix, candidate.name);
    candidate.family_distance = Distance(placed.point, families.means.Row(family));
    candidate.base_distance = Distance(placed.point, matrix.points.Row(base));
    candidate.score = ScoreOfDistance(candidate.family_distance);
    candidate.verdict = JudgePaperFeatures(unknown, known[base]);
    candidates.push_back(std::move(candidate));
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.family_distance < b.family_distance;
  });
  return candidates;
}

std::vector<std::string> NotesOn(const Classification& result, const PlacedModel& placed,
                                 double rejection_distance) {
  std::vector<std::string> notes;
  if (!result.known) {
    notes.push_back(fmt::format("unknown: the nearest base model is {:.3g} away, farther than {:g}",
                                result.nearest_base_distance, rejection_distance));
  }
  notes.push_back(
      "the paper profile names the family whose tensor shapes and response moments are nearest; it "
      "does not show that the model is derived from it: an unrelated model of like shapes can be "
      "as near");
  for (const std::string& feature : placed.unscaled_features) {
    notes.push_back(fmt::format(
        "all known models share one value of {}, this model has another: there is no scale for it",
        feature));
  }
  for (const std::string& feature : placed.left_out_features) {
    notes.push_back(fmt::format("no known model has the feature {}: left out", feature));
  }
  return notes;
}

}  // namespace

Result<Classification> Classify(const PaperFeatures& unknown, std::span<const PaperFeatures> known,
                                const ClassifyOptions& options) {
  if (known.size() < 2) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "fewer than two known models have no spread to measure distances by",
                 .advice = "give at least two known models"};
  }
  TG_ASSIGN(const auto matrix, BuildFeatureMatrix(known, options.missing));
  TG_ASSIGN(const auto families, FamiliesOf(matrix, options));
  TG_ASSIGN(const auto placed, PlaceInPopulation(unknown, matrix, options.missing));

  Classification result;
  result.candidates = CandidatesOf(unknown, placed, known, matrix, families);
  std::vector<double> base_distances;
  for (const std::string& name : families.center_names) {
    base_distances.push_back(Distance(placed.point, matrix.points.Row(IndexOf(matrix, name))));
  }
  result.nearest_base_distance = *std::min_element(base_distances.begin(), base_distances.end());
  result.known = result.nearest_base_distance <= options.rejection_distance;
  result.imputed = matrix.imputed;
  result.imputed.insert(result.imputed.end(), placed.imputed.begin(), placed.imputed.end());
  result.notes = NotesOn(result, placed, options.rejection_distance);
  return result;
}

}  // namespace tensorguard::internal
