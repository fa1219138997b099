// The mixer of FNet (Lee-Thorp et al. 2021): a Fourier transform in place of attention.
#ifndef TENSORGUARD_NETWORK_ATTENTION_FOURIER_MIXING_H_
#define TENSORGUARD_NETWORK_ATTENTION_FOURIER_MIXING_H_

#include "numerics/float_matrix.h"

namespace tensorguard::internal {

// The real part of the transform over both tokens and columns, without a factor.
FloatMatrix MixByFourier(const FloatMatrix& rows);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_ATTENTION_FOURIER_MIXING_H_
