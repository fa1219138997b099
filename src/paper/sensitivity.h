// How strongly each tensor answers each perturbation.
#ifndef TENSORGUARD_PAPER_SENSITIVITY_H_
#define TENSORGUARD_PAPER_SENSITIVITY_H_

#include <array>
#include <cstddef>
#include <vector>

#include "paper/inputs/perturbation.h"
#include "tensorguard/progress.h"
#include "tensorguard/result.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

// One matrix, per perturbation in the order of kAllNoises.
struct TensorSensitivity {
  size_t tensor_index = 0;
  // ||dL/dW|| = ||x||: the score of the published code. Depends on the input width alone.
  std::array<double, kNoiseCount> gradient_norm = {};
  // ||Wx|| / ||x||: how much the tensor amplifies the input. Depends on the weights.
  std::array<double, kNoiseCount> gain = {};
};

struct SensitivityOptions {
  unsigned threads = 0;  // 0: one per processor; the result is the same for any number
  ProgressCallback on_progress = {};
};

// All matrices of the model (2-D, not empty), layers above 15 included, in name order. Reads every
// matrix once, and one of each width a second time for the adversarial input. Errors: those of
// MeasureResponse; kUnsupported if the model has no matrix. A tensor of zeros has gain 0.
Result<std::vector<TensorSensitivity>> MeasureSensitivity(const WeightSource& weights,
                                                          const SensitivityOptions& options = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_SENSITIVITY_H_
