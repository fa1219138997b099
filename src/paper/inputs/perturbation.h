// The five perturbed inputs of the paper profile (arXiv 2506.01631, section on perturbations, with
// the constants of the published code).
#ifndef TENSORGUARD_PAPER_INPUTS_PERTURBATION_H_
#define TENSORGUARD_PAPER_INPUTS_PERTURBATION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tensorguard::internal {

// In the order in which the published code lists them: a draw of k means the k-th.
enum class Noise { kAdversarial, kStructured, kGaussian, kLowFrequency, kHighFrequency };

inline constexpr size_t kNoiseCount = 5;
inline constexpr std::array<Noise, kNoiseCount> kAllNoises = {
    Noise::kAdversarial, Noise::kStructured, Noise::kGaussian, Noise::kLowFrequency,
    Noise::kHighFrequency};

// "adversarial", "structured", "gaussian", "low_frequency", "high_frequency".
std::string_view NoiseName(Noise noise);

// x ~ N(0, I) in R^width, which all five inputs start from (seed 0).
std::vector<float> BaseInput(size_t width);

// The input for `noise`. REQUIRES: noise is not kAdversarial, which needs weights.
std::vector<float> PerturbedInput(Noise noise, size_t width);

// What the adversarial input is made of besides weights: the base input and the target class,
// drawn in [0, classes) right after it.
struct AdversarialSetting {
  std::vector<float> base_input;
  uint64_t target_class = 0;
};
AdversarialSetting DrawAdversarialSetting(size_t width, uint64_t classes);

// base_input + 0.03 * sign(loss_gradient). REQUIRES: equal lengths.
std::vector<float> AdversarialInput(std::span<const float> base_input,
                                    std::span<const double> loss_gradient);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_INPUTS_PERTURBATION_H_
