#include "api/paper/paper_pair.h"

#include <utility>

#include "api/models.h"
#include "api/paper/features.h"
#include "api/reading/distinct_names.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

Result<PaperComparison> CompareAmong(const std::vector<PaperFeatures>& known,
                                     const PaperFeatures& a, const PaperFeatures& b,
                                     const PaperPairRequest& request) {
  if (request.known.empty()) return ComparePaperFeatures(a, b);
  TG_ASSIGN(const auto population, BuildFeatureMatrix(known, request.missing));
  return ComparePaperFeatures(a, b, &population, request.missing);
}

}  // namespace

Result<PaperComparedPair> ComparePairByPaper(const PaperPairRequest& request,
                                             const Session& session) {
  TG_TRY(CheckBase({request.first, request.second}, request.base, session));
  const FeatureReading reading = {.base = request.base, .threads = request.threads};
  TG_ASSIGN(auto first, FeaturesOf(request.first, reading, session));
  TG_ASSIGN(auto second, FeaturesOf(request.second, reading, session));
  TG_ASSIGN(auto known, FeaturesOfAll(request.known, {.threads = request.threads}, session));
  NamesToTellApart names;
  names.AddAsked(first.model_name, request.first);
  names.AddAsked(second.model_name, request.second);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  TG_ASSIGN(auto comparison, CompareAmong(known.read, first, second, request));
  return PaperComparedPair{.first = std::move(first.model_name),
                           .second = std::move(second.model_name),
                           .comparison = std::move(comparison),
                           .shortfall = std::move(known.shortfall)};
}

}  // namespace tensorguard::internal
