#include "tensorguard/compare.h"

#include <utility>

#include "api/json/comparison_json.h"
#include "api/library/caller_session.h"
#include "api/library/comparison.h"
#include "base/try.h"
#include "tensorguard/version.h"

namespace tensorguard {
namespace internal {
namespace {

Shares SharesOf(const OriginCounts& counts) {
  return {.same = counts.Share(Origin::kSame),
          .changed = counts.Share(Origin::kChanged),
          .rewritten = counts.Share(Origin::kRewritten),
          .nothing = counts.Share(Origin::kNothing),
          .not_comparable = counts.Share(Origin::kNotComparable),
          .not_read = counts.Share(Origin::kNotRead)};
}

std::vector<TensorOrigin> OriginsOf(const Fingerprint& model, const ModelOrigins& origins,
                                    const Fingerprint& other) {
  std::vector<TensorOrigin> tensors;
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    TensorOrigin tensor = {.tensor = weight.tensor,
                           .role = std::string(ShownRoleName(weight.role)),
                           .layer = weight.role.layer,
                           .origin = std::string(OriginName(part.origin)),
                           .cosine = part.cosine};
    if (part.counterpart) tensor.counterpart = other.weights[*part.counterpart].tensor;
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

tensorguard::Comparison PublicComparison(ComparedPair pair) {
  const PairOrigins& origins = pair.comparison.origins;
  tensorguard::Comparison comparison = {
      .model_a = pair.first.model_name,
      .model_b = pair.second.model_name,
      .verdict = pair.verdict,
      .in_part = pair.in_part,
      .reason = ReasonOf(pair),
      .score = pair.comparison.score,
      .p_value = pair.comparison.p_value,
      .shares_of_a = SharesOf(origins.a.all),
      .shares_of_b = SharesOf(origins.b.all),
      .tensors_of_a = OriginsOf(pair.first, origins.a, pair.second),
      .tensors_of_b = OriginsOf(pair.second, origins.b, pair.first),
      .notes = NotesOf(pair)};
  for (const Finding& finding : pair.comparison.findings) {
    comparison.findings.push_back(
        {.kind = std::string(FindingKindName(finding.kind)), .text = finding.text});
  }
  comparison.details = std::make_shared<const ComparedPair>(std::move(pair));
  return comparison;
}

}  // namespace internal

Result<Comparison> Compare(const Fingerprint& a, const Fingerprint& b) {
  TG_ASSIGN(auto pair, internal::ComparePrints(a.data(), b.data()));
  return internal::PublicComparison(std::move(pair));
}

Result<Comparison> CompareModels(const std::string& a, const std::string& b,
                                 const CompareOptions& options) {
  TG_ASSIGN(auto pair, internal::ComparePair({.first = a,
                                              .second = b,
                                              .base = internal::BaseOf(options),
                                              .deep = options.test_weights,
                                              .quick_bytes = options.budget_bytes,
                                              .incomplete = options.incomplete,
                                              .threads = options.threads},
                                             internal::CallerSession(options)));
  return internal::PublicComparison(std::move(pair));
}

std::string ComparisonAsJson(const Comparison& comparison) {
  return internal::JsonText(internal::ComparedPairToJson(*comparison.details));
}

std::string ComparisonAsHtml(const Comparison& comparison) {
  return internal::ComparedPairToHtml(*comparison.details,
                                      {.version = std::string(LibraryVersion()),
                                       .commit = std::string(LibraryCommit()),
                                       .json = ComparisonAsJson(comparison)});
}

}  // namespace tensorguard
