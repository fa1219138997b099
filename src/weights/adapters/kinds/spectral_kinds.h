// Adapters that store a few coefficients of a transform of the change.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_SPECTRAL_KINDS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_SPECTRAL_KINDS_H_

#include "weights/adapters/kinds/adapter_module.h"
#include "weights/adapters/kinds/row_edit.h"

namespace tensorguard::internal {

// Errors of both: kBadFile (a part is missing or of another shape), kUnsupported (an option that is
// not honoured, named). The places of the coefficients are drawn from a seed, as PyTorch draws
// them.

// FourierFT (Gao et al. 2024): coefficients of the two-dimensional Fourier transform.
Result<RowChange> FourierChange(const AdapterModule& module);

// WaveFT (Bilican et al. 2025): coefficients of one level of the Haar wavelet transform, or numbers
// as they are.
Result<RowChange> WaveletChange(const AdapterModule& module);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_SPECTRAL_KINDS_H_
