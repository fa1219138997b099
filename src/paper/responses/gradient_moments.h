// Moments of the gradient dL/dW, L = ||x W^T||, without ever building it.
#ifndef TENSORGUARD_PAPER_RESPONSES_GRADIENT_MOMENTS_H_
#define TENSORGUARD_PAPER_RESPONSES_GRADIENT_MOMENTS_H_

#include <span>

#include "paper/responses/tensor_response.h"

namespace tensorguard::internal {

// Features of a gradient's elements (arXiv 2506.01631): population standard deviation, Frobenius
// norm, skewness and excess kurtosis (both biased).
struct GradientMoments {
  double mean = 0;
  double std = 0;
  double norm = 0;
  double skewness = 0;
  double kurtosis = 0;
};

// The gradient is u x^T with u = Wx / ||Wx||: rank one. So E[g^k] = E[u^k] E[x^k] and ||g|| =
// ||x||. REQUIRES: response.norm > 0.
GradientMoments MomentsOfGradient(const InputResponse& response, std::span<const float> x);

// The same from the gradient itself, element by element: the reference for tests.
GradientMoments MomentsOfGradientReference(std::span<const double> unit_response,
                                           std::span<const float> x);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_RESPONSES_GRADIENT_MOMENTS_H_
