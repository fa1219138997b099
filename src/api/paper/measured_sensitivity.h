// How each tensor of a model responds to each perturbation.
#ifndef TENSORGUARD_API_PAPER_MEASURED_SENSITIVITY_H_
#define TENSORGUARD_API_PAPER_MEASURED_SENSITIVITY_H_

#include <optional>
#include <string>
#include <vector>

#include "api/session.h"
#include "drawing/canvas.h"
#include "model/model.h"
#include "paper/sensitivity.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct SensitivityRequest {
  std::string model;
  std::optional<std::string> base = {};  // where the model is an adapter
  unsigned threads = 0;                  // 0: one per processor
};

struct MeasuredSensitivity {
  Model model;
  std::vector<TensorSensitivity> tensors;
};

// Errors: those of CheckBase, OpenWithBase and MeasureSensitivity.
Result<MeasuredSensitivity> MeasureModelSensitivity(const SensitivityRequest& request,
                                                    const Session& session);

// The bytes of a picture. Errors: those of DrawSensitivityPlot.
Result<std::string> DrawMeasuredSensitivity(const MeasuredSensitivity& measured,
                                            ImageFormat format);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_PAPER_MEASURED_SENSITIVITY_H_
