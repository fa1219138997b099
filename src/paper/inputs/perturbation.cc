#include "paper/inputs/perturbation.h"

#include <cassert>

#include "paper/inputs/fourier.h"
#include "paper/inputs/random_numbers.h"

namespace tensorguard::internal {
namespace {

// Constants of the published code.
constexpr uint32_t kSeed = 0;
constexpr float kGaussianScale = 0.1f;
constexpr float kFrequencyScale = 0.1f;
constexpr float kAdversarialStep = 0.03f;

std::vector<float> SumOf(const std::vector<float>& base, float scale,
                         const std::vector<float>& noise) {
  std::vector<float> sum(base.size());
  for (size_t i = 0; i < base.size(); ++i) sum[i] = base[i] + scale * noise[i];
  return sum;
}

}  // namespace

std::string_view NoiseName(Noise noise) {
  switch (noise) {
    case Noise::kAdversarial:
      return "adversarial";
    case Noise::kStructured:
      return "structured";
    case Noise::kGaussian:
      return "gaussian";
    case Noise::kLowFrequency:
      return "low_frequency";
    case Noise::kHighFrequency:
      return "high_frequency";
  }
  return "";
}

std::vector<float> BaseInput(size_t width) { return TorchRandom(kSeed).Normal(width); }

std::vector<float> PerturbedInput(Noise noise, size_t width) {
  assert(noise != Noise::kAdversarial);
  TorchRandom random(kSeed);
  const std::vector<float> base = random.Normal(width);
  const size_t bins = width / 2 + 1;
  switch (noise) {
    case Noise::kStructured:
      return SumOf(base, 1.0f, KeepFrequencies(base, 0, bins / 4));
    case Noise::kGaussian:
      return SumOf(base, kGaussianScale, random.Normal(width));
    case Noise::kLowFrequency:
      return SumOf(base, kFrequencyScale, KeepFrequencies(base, 0, bins / 8));
    default:
      return SumOf(base, kFrequencyScale, KeepFrequencies(base, bins / 2, bins));
  }
}

AdversarialSetting DrawAdversarialSetting(size_t width, uint64_t classes) {
  TorchRandom random(kSeed);
  AdversarialSetting setting;
  setting.base_input = random.Normal(width);
  setting.target_class = random.Integer(classes);
  return setting;
}

std::vector<float> AdversarialInput(std::span<const float> base_input,
                                    std::span<const double> loss_gradient) {
  std::vector<float> input(base_input.begin(), base_input.end());
  for (size_t i = 0; i < input.size(); ++i) {
    if (loss_gradient[i] > 0) input[i] += kAdversarialStep;
    if (loss_gradient[i] < 0) input[i] -= kAdversarialStep;
  }
  return input;
}

}  // namespace tensorguard::internal
