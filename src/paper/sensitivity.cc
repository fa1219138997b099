#include "paper/sensitivity.h"

#include <cmath>
#include <numeric>
#include <set>

#include "base/read_progress.h"
#include "base/try.h"
#include "paper/inputs/perturbed_inputs.h"
#include "paper/responses/tensor_response.h"
#include "paper/tensor_selection.h"

namespace tensorguard::internal {
namespace {

uint64_t BytesToRead(std::span<const TensorInfo> tensors, std::span<const size_t> matrices) {
  uint64_t bytes = 0;
  std::set<uint64_t> widths;
  for (const size_t i : matrices) {
    bytes += tensors[i].stored_bytes;
    widths.insert(tensors[i].shape[1]);
  }
  return bytes + AdversarialBytes(tensors, matrices, widths);
}

double Norm(std::span<const float> x) {
  double sum_of_squares = 0;
  for (const float value : x) sum_of_squares += static_cast<double>(value) * value;
  return std::sqrt(sum_of_squares);
}

}  // namespace

Result<std::vector<TensorSensitivity>> MeasureSensitivity(const WeightSource& weights,
                                                          const SensitivityOptions& options) {
  const std::vector<TensorInfo>& tensors = weights.tensors();
  std::vector<size_t> all(tensors.size());
  std::iota(all.begin(), all.end(), size_t{0});
  const std::vector<size_t> matrices = MatricesAmong(tensors, all);
  if (matrices.empty()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "model has no matrix to measure",
                 .file = tensors.empty() ? "" : tensors.front().file};
  }

  ReadProgress progress(options.on_progress, BytesToRead(tensors, matrices));
  const BytesReadCallback on_read = [&](uint64_t bytes) { progress.Add(bytes); };
  PerturbedInputs inputs(weights, matrices, options.threads, on_read);
  std::vector<TensorSensitivity> sensitivities;
  for (const size_t i : matrices) {
    progress.Start(tensors[i].name);
    const uint64_t width = tensors[i].shape[1];
    TG_ASSIGN(auto tensor_inputs, inputs.ForWidth(width, /*with_adversarial=*/true));
    TG_ASSIGN(auto response, MeasureResponse(weights, i, InputBlock(width, tensor_inputs),
                                             options.threads, on_read));
    TensorSensitivity sensitivity = {.tensor_index = i};
    for (size_t k = 0; k < kNoiseCount; ++k) {
      sensitivity.gradient_norm[k] = Norm(tensor_inputs[k]);
      sensitivity.gain[k] = response[k].norm / sensitivity.gradient_norm[k];
    }
    sensitivities.push_back(sensitivity);
  }
  return sensitivities;
}

}  // namespace tensorguard::internal
