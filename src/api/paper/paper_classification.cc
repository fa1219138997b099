#include "api/paper/paper_classification.h"

#include <utility>

#include "api/models.h"
#include "api/paper/features.h"
#include "api/reading/distinct_names.h"

namespace tensorguard::internal {

Result<PaperClassifiedModel> ClassifyModelByPaper(const PaperClassificationRequest& request,
                                                  const Session& session) {
  auto base = CheckBase({request.model}, request.base, session);
  if (!base) return std::move(base).error();
  auto unknown =
      FeaturesOf(request.model, {.base = request.base, .threads = request.threads}, session);
  if (!unknown) return std::move(unknown).error();
  auto known = FeaturesOfAll(request.known, {.threads = request.threads}, session);
  if (!known) return std::move(known).error();
  NamesToTellApart names;
  names.AddAsked(unknown->model_name, request.model);
  names.AddAll(known->read, known->sources);
  names.TellApart();
  auto result = Classify(*unknown, known->read,
                         {.center_names = request.centers, .missing = request.missing});
  if (!result) return std::move(result).error();
  return PaperClassifiedModel{.name = std::move(unknown->model_name),
                              .result = *std::move(result),
                              .shortfall = std::move(known->shortfall)};
}

}  // namespace tensorguard::internal
