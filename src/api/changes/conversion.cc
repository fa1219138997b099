#include "api/changes/conversion.h"

#include <utility>

#include "api/models.h"
#include "base/text.h"
#include "model/convert.h"

namespace tensorguard::internal {

Result<ConvertedModel> ConvertModel(const ConversionRequest& request, const Session& session) {
  auto base = CheckBase({request.model}, request.base, session);
  if (!base) return std::move(base).error();
  const auto model = OpenWithBase(request.model, request.base, session);
  if (!model) return model.error();
  auto converted = ConvertWeights(
      *model->weights, request.output,
      {.dtype = request.dtype, .on_progress = session.listener.ShowProgress(model->name)});
  session.listener.EndProgress();
  if (!converted) return std::move(converted).error();
  return ConvertedModel{.name = model->name,
                        .output = request.output,
                        .tensors = model->weights->tensors().size(),
                        .dtype = LowerAscii(InfoOf(request.dtype).name)};
}

}  // namespace tensorguard::internal
