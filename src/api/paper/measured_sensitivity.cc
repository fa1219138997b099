#include "api/paper/measured_sensitivity.h"

#include <utility>

#include "api/models.h"
#include "base/try.h"
#include "paper/sensitivity_plot.h"

namespace tensorguard::internal {

Result<MeasuredSensitivity> MeasureModelSensitivity(const SensitivityRequest& request,
                                                    const Session& session) {
  TG_TRY(CheckBase({request.model}, request.base, session));
  TG_ASSIGN(auto model, OpenWithBase(request.model, request.base, session));
  auto tensors = MeasureSensitivity(
      *model.weights,
      {.threads = request.threads, .on_progress = session.listener.ShowProgress(model.name)});
  session.listener.EndProgress();
  if (!tensors) return std::move(tensors).error().InFile(request.model);
  return MeasuredSensitivity{std::move(model), *std::move(tensors)};
}

Result<std::string> DrawMeasuredSensitivity(const MeasuredSensitivity& measured,
                                            ImageFormat format) {
  const Model& model = measured.model;
  SensitivityPlot plot = {.title = "Response gains of " + model.name, .rows = {}};
  for (const TensorSensitivity& each : measured.tensors) {
    const TensorRole& role = model.architecture.roles[each.tensor_index];
    SensitivityRow row = {.tensor = model.weights->tensors()[each.tensor_index].name,
                          .role = std::string(RoleName(role.role))};
    if (role.layer) row.layer = *role.layer;
    for (size_t i = 0; i < kNoiseCount; ++i) {
      row.gain.emplace(NoiseName(kAllNoises[i]), each.gain[i]);
    }
    plot.rows.push_back(std::move(row));
  }
  return DrawSensitivityPlot(plot, format);
}

}  // namespace tensorguard::internal
