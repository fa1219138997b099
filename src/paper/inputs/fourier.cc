#include "paper/inputs/fourier.h"

#include <bit>
#include <cmath>
#include <complex>
#include <kissfft/kissfft.hh>
#include <numbers>

namespace tensorguard::internal {
namespace {

using Complex = std::complex<double>;

// kissfft works in n times the sum of n's prime factors; above this factor Bluestein's detour over
// a power of two is faster.
constexpr size_t kLargestDirectFactor = 64;

size_t LargestPrimeFactor(size_t n) {
  size_t largest = 1;
  for (size_t factor = 2; factor * factor <= n; ++factor) {
    while (n % factor == 0) {
      largest = factor;
      n /= factor;
    }
  }
  return std::max(largest, n);
}

std::vector<Complex> TransformDirectly(const std::vector<Complex>& input, bool inverse) {
  std::vector<Complex> output(input.size());
  kissfft<double>(input.size(), inverse).transform(input.data(), output.data());
  return output;
}

// Bluestein: with k*j = (k^2 + j^2 - (k-j)^2) / 2 the transform is a convolution with a chirp, done
// by transforms of a power-of-two length.
std::vector<Complex> TransformByChirp(const std::vector<Complex>& input, bool inverse) {
  const size_t n = input.size();
  const size_t padded = std::bit_ceil(2 * n - 1);
  const double sign = inverse ? 1.0 : -1.0;
  std::vector<Complex> chirp(n);
  size_t square = 0;  // k^2 modulo 2n: keeps the angle small and therefore exact
  for (size_t k = 0; k < n; ++k) {
    const double angle = std::numbers::pi * static_cast<double>(square) / static_cast<double>(n);
    chirp[k] = std::polar(1.0, sign * angle);
    square = (square + 2 * k + 1) % (2 * n);
  }
  std::vector<Complex> a(padded);
  std::vector<Complex> b(padded);
  for (size_t k = 0; k < n; ++k) a[k] = input[k] * chirp[k];
  for (size_t k = 0; k < n; ++k) b[k] = b[(padded - k) % padded] = std::conj(chirp[k]);
  a = TransformDirectly(a, false);
  b = TransformDirectly(b, false);
  for (size_t k = 0; k < padded; ++k) a[k] *= b[k];
  a = TransformDirectly(a, true);
  std::vector<Complex> output(n);
  for (size_t k = 0; k < n; ++k) output[k] = a[k] * chirp[k] / static_cast<double>(padded);
  return output;
}

std::vector<Complex> Transform(const std::vector<Complex>& input, bool inverse) {
  const bool direct = LargestPrimeFactor(input.size()) <= kLargestDirectFactor;
  return direct ? TransformDirectly(input, inverse) : TransformByChirp(input, inverse);
}

}  // namespace

std::vector<float> KeepFrequencies(std::span<const float> signal, size_t first_bin,
                                   size_t last_bin) {
  const size_t n = signal.size();
  const size_t bins = n / 2 + 1;
  std::vector<Complex> spectrum = Transform({signal.begin(), signal.end()}, false);
  for (size_t k = 0; k < n; ++k) {
    const size_t bin = k < bins ? k : n - k;  // the upper half mirrors the lower
    if (bin < first_bin || bin >= last_bin) spectrum[k] = 0;
  }
  const std::vector<Complex> kept = Transform(spectrum, true);
  std::vector<float> output(n);
  for (size_t i = 0; i < n; ++i) {
    output[i] = static_cast<float>(kept[i].real() / static_cast<double>(n));
  }
  return output;
}

std::vector<float> KeepFrequenciesReference(std::span<const float> signal, size_t first_bin,
                                            size_t last_bin) {
  const size_t n = signal.size();
  std::vector<double> output(n);
  const double step = 2.0 * std::numbers::pi / static_cast<double>(n);
  for (size_t bin = first_bin; bin < std::min(last_bin, n / 2 + 1); ++bin) {
    Complex coefficient = 0;
    for (size_t i = 0; i < n; ++i) {
      coefficient += static_cast<double>(signal[i]) * std::polar(1.0, -step * double(bin * i % n));
    }
    const bool is_own_mirror = bin == 0 || 2 * bin == n;
    const double weight = (is_own_mirror ? 1.0 : 2.0) / static_cast<double>(n);
    for (size_t i = 0; i < n; ++i) {
      output[i] += weight * (coefficient * std::polar(1.0, step * double(bin * i % n))).real();
    }
  }
  return {output.begin(), output.end()};
}

}  // namespace tensorguard::internal
