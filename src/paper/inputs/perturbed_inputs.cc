#include "paper/inputs/perturbed_inputs.h"

#include <algorithm>

#include "base/try.h"
#include "paper/responses/loss_gradient.h"

namespace tensorguard::internal {

size_t FirstMatrixOfWidth(std::span<const TensorInfo> tensors, std::span<const size_t> matrices,
                          uint64_t width) {
  return *std::find_if(matrices.begin(), matrices.end(),
                       [&](size_t i) { return tensors[i].shape[1] == width; });
}

uint64_t AdversarialBytes(std::span<const TensorInfo> tensors, std::span<const size_t> matrices,
                          const std::set<uint64_t>& widths) {
  uint64_t bytes = 0;
  for (const uint64_t width : widths) {
    bytes += tensors[FirstMatrixOfWidth(tensors, matrices, width)].stored_bytes;
  }
  return bytes;
}

PerturbedInputs::PerturbedInputs(const WeightSource& weights, std::span<const size_t> matrices,
                                 unsigned threads, BytesReadCallback on_read)
    : weights_(weights),
      matrices_(matrices.begin(), matrices.end()),
      threads_(threads),
      on_read_(std::move(on_read)) {}

Result<std::span<const std::vector<float>>> PerturbedInputs::ForWidth(uint64_t width,
                                                                      bool with_adversarial) {
  Inputs& inputs = by_width_[width];
  if (inputs.of_noise.empty()) {
    for (const Noise noise : kAllNoises) {
      inputs.of_noise.push_back(noise == Noise::kAdversarial ? std::vector<float>(width)
                                                             : PerturbedInput(noise, width));
    }
  }
  if (with_adversarial && !inputs.has_adversarial) {
    const size_t classifier = FirstMatrixOfWidth(weights_.tensors(), matrices_, width);
    const AdversarialSetting setting =
        DrawAdversarialSetting(width, weights_.tensors()[classifier].shape[0]);
    TG_ASSIGN(auto gradient, CrossEntropyGradient(weights_, classifier, setting.base_input,
                                                  setting.target_class, threads_, on_read_));
    inputs.of_noise[static_cast<size_t>(Noise::kAdversarial)] =
        AdversarialInput(setting.base_input, gradient);
    inputs.has_adversarial = true;
  }
  return std::span<const std::vector<float>>(inputs.of_noise);
}

}  // namespace tensorguard::internal
