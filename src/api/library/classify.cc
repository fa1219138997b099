#include "tensorguard/classify.h"

#include <utility>

#include "api/classification.h"
#include "api/family_groups.h"
#include "api/json/classification_json.h"
#include "api/json/cluster_json.h"
#include "api/library/caller_session.h"
#include "api/library/comparison.h"
#include "base/try.h"

namespace tensorguard {
namespace {

std::vector<internal::Fingerprint> DataOf(std::span<const Fingerprint> models) {
  std::vector<internal::Fingerprint> data;
  data.reserve(models.size());
  for (const Fingerprint& each : models) data.push_back(each.data());
  return data;
}

}  // namespace

Classification internal::PublicClassification(ClassifiedModel model) {
  tensorguard::Classification classification = {.model = model.unknown.model_name,
                                                .known = model.result.known,
                                                .lineage = LineageNames(model),
                                                .notes = NotesOf(model)};
  for (const KnownCandidate& each : model.result.candidates) {
    classification.candidates.push_back({.known = each.known,
                                         .model_name = model.NameOf(each.known),
                                         .verdict = each.comparison.verdict,
                                         .score = each.comparison.score,
                                         .corrected_p_value = each.corrected_p_value});
  }
  classification.details = std::make_shared<const ClassifiedModel>(std::move(model));
  return classification;
}

Result<Classification> Classify(const Fingerprint& unknown, std::span<const Fingerprint> known,
                                unsigned threads) {
  TG_ASSIGN(auto model, internal::ClassifyPrint(unknown.data(), DataOf(known), threads));
  return internal::PublicClassification(std::move(model));
}

Result<Classification> ClassifyModel(const std::string& model, std::span<const std::string> known,
                                     const ClassifyOptions& options) {
  TG_ASSIGN(auto classified, internal::ClassifyModel({.model = model,
                                                      .base = internal::BaseOf(options),
                                                      .known = {known.begin(), known.end()},
                                                      .quick_bytes = options.budget_bytes,
                                                      .incomplete = options.incomplete,
                                                      .threads = options.threads},
                                                     internal::CallerSession(options)));
  return internal::PublicClassification(std::move(classified));
}

std::string ClassificationAsJson(const Classification& classification) {
  return internal::JsonText(internal::ClassifiedModelToJson(*classification.details));
}

Result<Families> FindFamilies(std::span<const Fingerprint> models, unsigned threads) {
  const ReadOptions nothing_said;
  const internal::CallerSession session(nothing_said);
  TG_ASSIGN(auto groups, internal::GroupPrints(DataOf(models), {.models = {}, .threads = threads},
                                               session.listener()));
  return Families{.model_names = groups.model_names,
                  .family_of_model = groups.family_of_model,
                  .count = groups.centers.size(),
                  .centers = groups.centers,
                  .silhouette = groups.silhouette,
                  .details = std::make_shared<const internal::FamilyGroups>(std::move(groups))};
}

std::string FamiliesAsJson(const Families& families) {
  return internal::JsonText(internal::FamilyGroupsToJson(*families.details));
}

Result<std::string> FamiliesAsSvg(const Families& families) {
  return internal::DrawFamilyGroups(*families.details, internal::ImageFormat::kSvg);
}

}  // namespace tensorguard
