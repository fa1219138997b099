#include "api/paper/paper_classification.h"

#include <utility>

#include "api/models.h"
#include "api/paper/features.h"
#include "api/reading/distinct_names.h"
#include "base/try.h"

namespace tensorguard::internal {

Result<PaperClassifiedModel> ClassifyModelByPaper(const PaperClassificationRequest& request,
                                                  const Session& session) {
  TG_TRY(CheckBase({request.model}, request.base, session));
  TG_ASSIGN(auto unknown,
            FeaturesOf(request.model, {.base = request.base, .threads = request.threads}, session));
  TG_ASSIGN(auto known, FeaturesOfAll(request.known, {.threads = request.threads}, session));
  NamesToTellApart names;
  names.AddAsked(unknown.model_name, request.model);
  names.AddAll(known.read, known.sources);
  names.TellApart();
  TG_ASSIGN(auto result, Classify(unknown, known.read,
                                  {.center_names = request.centers, .missing = request.missing}));
  return PaperClassifiedModel{.name = std::move(unknown.model_name),
                              .result = std::move(result),
                              .shortfall = std::move(known.shortfall)};
}

}  // namespace tensorguard::internal
