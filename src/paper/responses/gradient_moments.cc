#include "paper/responses/gradient_moments.h"

#include <array>
#include <cmath>
#include <vector>

namespace tensorguard::internal {
namespace {

// Central moments from raw ones (m[0] = E[g], ..., m[3] = E[g^4]).
GradientMoments FromRawMoments(const std::array<double, 4>& m, double norm) {
  const double mean = m[0];
  const double variance = m[1] - mean * mean;
  const double third = m[2] - 3 * mean * m[1] + 2 * mean * mean * mean;
  const double fourth =
      m[3] - 4 * mean * m[2] + 6 * mean * mean * m[1] - 3 * mean * mean * mean * mean;
  return {.mean = mean,
          .std = std::sqrt(variance),
          .norm = norm,
          .skewness = third / std::pow(variance, 1.5),
          .kurtosis = fourth / (variance * variance) - 3};
}

std::array<double, 4> RawMoments(std::span<const float> x) {
  std::array<double, 4> sums = {};
  for (const float value : x) {
    const double v = value;
    sums[0] += v;
    sums[1] += v * v;
    sums[2] += v * v * v;
    sums[3] += v * v * v * v;
  }
  for (double& sum : sums) sum /= static_cast<double>(x.size());
  return sums;
}

}  // namespace

GradientMoments MomentsOfGradient(const InputResponse& response, std::span<const float> x) {
  const std::array<double, 4> input_moments = RawMoments(x);
  std::array<double, 4> moments;
  for (size_t k = 0; k < 4; ++k) moments[k] = response.unit_moments[k] * input_moments[k];
  return FromRawMoments(moments, std::sqrt(input_moments[1] * static_cast<double>(x.size())));
}

GradientMoments MomentsOfGradientReference(std::span<const double> unit_response,
                                           std::span<const float> x) {
  std::vector<double> gradient;
  for (const double u : unit_response) {
    for (const float value : x) gradient.push_back(u * static_cast<double>(value));
  }
  const auto count = static_cast<double>(gradient.size());
  double mean = 0;
  double sum_of_squares = 0;
  for (const double g : gradient) mean += g / count;
  std::array<double, 3> central = {};  // second, third, fourth
  for (const double g : gradient) {
    sum_of_squares += g * g;
    const double deviation = g - mean;
    central[0] += deviation * deviation / count;
    central[1] += deviation * deviation * deviation / count;
    central[2] += deviation * deviation * deviation * deviation / count;
  }
  return {.mean = mean,
          .std = std::sqrt(central[0]),
          .norm = std::sqrt(sum_of_squares),
          .skewness = central[1] / std::pow(central[0], 1.5),
          .kurtosis = central[2] / (central[0] * central[0]) - 3};
}

}  // namespace tensorguard::internal
