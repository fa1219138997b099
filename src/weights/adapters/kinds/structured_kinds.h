// Adapters that add a matrix of few numbers: products, sums and circles of small ones, or single
// numbers.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_STRUCTURED_KINDS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_STRUCTURED_KINDS_H_

#include "weights/adapters/kinds/adapter_module.h"
#include "weights/adapters/kinds/row_edit.h"

namespace tensorguard::internal {

// Errors of all: kBadFile (a part is missing or of another shape), kMismatch (the base's matrix is
// of another shape). Sources: the papers named, and what PEFT's merge computes.

// LoHa (Hyeon-Woo et al. 2022): the element-wise product of two low-rank matrices.
Result<RowChange> LohaChange(const AdapterModule& module);

// LoKr (Yeh et al. 2024): the Kronecker product of two matrices, each whole or a product.
Result<RowChange> LokrChange(const AdapterModule& module);

// C3A (Chen et al. 2025): circulant blocks.
Result<RowChange> C3aChange(const AdapterModule& module);

// SHiRA (Bhardwaj et al. 2024): single numbers at stored places.
Result<RowChange> ShiraChange(const AdapterModule& module);

// MiSS (Kang and Yin 2025): one block of numbers, repeated along the inputs.
Result<RowChange> MissChange(const AdapterModule& module);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_STRUCTURED_KINDS_H_
