#include "api/changes/conversion.h"

#include <utility>

#include "api/models.h"
#include "base/text.h"
#include "base/try.h"
#include "model/convert.h"

namespace tensorguard::internal {

Result<ConvertedModel> ConvertModel(const ConversionRequest& request, const Session& session) {
  TG_TRY(CheckBase({request.model}, request.base, session));
  TG_ASSIGN(const auto model, OpenWithBase(request.model, request.base, session));
  auto converted = ConvertWeights(
      *model.weights, request.output,
      {.dtype = request.dtype, .on_progress = session.listener.ShowProgress(model.name)});
  session.listener.EndProgress();
  if (!converted) return std::move(converted).error();
  return ConvertedModel{.name = model.name,
                        .output = request.output,
                        .tensors = model.weights->tensors().size(),
                        .dtype = LowerAscii(InfoOf(request.dtype).name)};
}

}  // namespace tensorguard::internal
