#include "api/paper/paper_pair.h"

#include <utility>

#include "api/models.h"
#include "api/paper/features.h"
#include "api/reading/distinct_names.h"

namespace tensorguard::internal {
namespace {

Result<PaperComparison> CompareAmong(const std::vector<PaperFeatures>& known,
                                     const PaperFeatures& a, const PaperFeatures& b,
                                     const PaperPairRequest& request) {
  if (request.known.empty()) return ComparePaperFeatures(a, b);
  const auto population = BuildFeatureMatrix(known, request.missing);
  if (!population) return population.error();
  return ComparePaperFeatures(a, b, &*population, request.missing);
}

}  // namespace

Result<PaperComparedPair> ComparePairByPaper(const PaperPairRequest& request,
                                             const Session& session) {
  auto base = CheckBase({request.first, request.second}, request.base, session);
  if (!base) return std::move(base).error();
  const FeatureReading reading = {.base = request.base, .threads = request.threads};
  auto first = FeaturesOf(request.first, reading, session);
  if (!first) return std::move(first).error();
  auto second = FeaturesOf(request.second, reading, session);
  if (!second) return std::move(second).error();
  auto known = FeaturesOfAll(request.known, {.threads = request.threads}, session);
  if (!known) return std::move(known).error();
  NamesToTellApart names;
  names.AddAsked(first->model_name, request.first);
  names.AddAsked(second->model_name, request.second);
  names.AddAll(known->read, known->sources);
  names.TellApart();
  auto comparison = CompareAmong(known->read, *first, *second, request);
  if (!comparison) return std::move(comparison).error();
  return PaperComparedPair{.first = std::move(first->model_name),
                           .second = std::move(second->model_name),
                           .comparison = *std::move(comparison),
                           .shortfall = std::move(known->shortfall)};
}

}  // namespace tensorguard::internal
