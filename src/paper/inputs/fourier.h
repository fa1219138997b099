// Discrete Fourier transforms of real signals of any length.
#ifndef TENSORGUARD_PAPER_INPUTS_FOURIER_H_
#define TENSORGUARD_PAPER_INPUTS_FOURIER_H_

#include <cstddef>
#include <span>
#include <vector>

namespace tensorguard::internal {

// irfft(mask * rfft(signal), n = signal.size()), where the mask keeps the frequency bins
// [first_bin, last_bin) of the signal's n/2 + 1. Time n log n for every n, primes included; double
// precision inside.
std::vector<float> KeepFrequencies(std::span<const float> signal, size_t first_bin,
                                   size_t last_bin);

// The same by the definition, in n^2 steps: the reference for tests.
std::vector<float> KeepFrequenciesReference(std::span<const float> signal, size_t first_bin,
                                            size_t last_bin);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_INPUTS_FOURIER_H_
